import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LoginOptions, toLoginChanges } from '../../../src/cli/login-options.ts';
import { readerIds } from '../../../src/cli/reader-ids.ts';
import { parseWords } from '../../../src/cli/words.ts';
import type { Login } from '../../../src/store/logins.ts';

const none = { refreshToken: null, clientSecret: null };
const plain: Login = {
  loginUser: null,
  hasPassword: true,
  hasPasswordCommand: false,
  oauth: null,
  hasRefreshToken: false,
  hasClientSecret: false,
  accessTokenExpiresAt: null,
  refreshError: null,
};
const granted: Login = {
  ...plain,
  oauth: { preset: null, clientId: 'app', tokenUrl: 'https://login.example.com/t', scope: null },
  hasRefreshToken: true,
};
const usage = (detail: RegExp): unknown =>
  expect.objectContaining({ code: 'usage', detail: expect.stringMatching(detail) as unknown });

describe('the options of a login', () => {
  it('change nothing when none is given', () => {
    expect(toLoginChanges({}, none, granted)).toEqual({});
  });
  it('of a preset fill in what it knows', () => {
    const options = { oauthPreset: 'google', oauthClientId: 'app' };
    expect(toLoginChanges(options, { refreshToken: 'r', clientSecret: 's' }, null)).toEqual({
      oauth: {
        preset: 'google',
        clientId: 'app',
        tokenUrl: 'https://oauth2.googleapis.com/token',
        scope: null,
        clientSecret: 's',
        refreshToken: 'r',
      },
    });
  });
  it('replace a refresh token alone where there is a grant', () => {
    expect(toLoginChanges({}, { ...none, refreshToken: 'r2' }, granted)).toEqual({ oauth: { refreshToken: 'r2' } });
  });
  it('take away what an empty word names', () => {
    expect(toLoginChanges({ loginAs: '', passwordCommand: '', oauth: false }, none, granted)).toEqual({
      loginUser: null,
      passwordCommand: null,
      oauth: null,
    });
  });
  it('let an application be granted access itself', () => {
    const options: LoginOptions = {
      oauthPreset: 'microsoft',
      oauthClientId: 'app',
      oauthClientCredentials: true,
      oauthTokenUrl: 'https://login.microsoftonline.com/tenant/oauth2/v2.0/token',
    };
    expect(toLoginChanges(options, { ...none, clientSecret: 's' }, null).oauth).toMatchObject({
      scope: 'https://outlook.office365.com/.default',
      refreshToken: null,
      clientSecret: 's',
    });
    expect(() => toLoginChanges(options, none, null)).toThrow(usage(/client-secret/));
    expect(() => toLoginChanges({ ...options, oauthPreset: 'google' }, none, null)).toThrow(usage(/google/));
  });
  it.each<[string, LoginOptions, Login | null, RegExp]>([
    ['an unknown preset', { oauthPreset: 'aol' }, null, /google or microsoft/],
    ['no client id', { oauthPreset: 'google' }, null, /client-id/],
    ['no token URL', { oauthClientId: 'app' }, plain, /token-url/],
    ['no grant', { oauthClientId: 'app', oauthPreset: 'google' }, null, /refresh-token/],
    ['a token URL in the clear', { oauthTokenUrl: 'http://login.example.com/' }, granted, /https/],
  ])('with %s are refused', (_title, options, login, detail) => {
    expect(() => toLoginChanges(options, none, login)).toThrow(usage(detail));
  });
});

describe('a command in one argument', () => {
  it('is words between spaces, or a JSON list of them', () => {
    expect(parseWords('  pass show  mail/{acntid} ')).toEqual(['pass', 'show', 'mail/{acntid}']);
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
        expect(parseWords(JSON.stringify(words))).toEqual(words);
      }),
    );
  });
  it.each(["sh -c 'cat x'", 'a | b', 'a; b', '$(id)', '[]', '[1]', '[oops'])('%s is refused', (text) => {
    expect(() => parseWords(text)).toThrow(usage(/--password-command/));
  });
});

describe('readers', () => {
  it('are separated by commas', () => expect(readerIds(' u1, ,u2,')).toEqual(['u1', 'u2']));
});
