import { describe, expect, it } from 'vitest';
import { type Credentials, logInWith, maskCredentials } from '../../../src/base/credentials.ts';
import { EngineError } from '../../../src/base/errors.ts';

const token = (accessToken: string): Credentials => ({ kind: 'token', user: 'anna', accessToken });
const account = { acntid: 1, protocol: 'imap' } as const;
const refused = new EngineError('auth_failed', 'no');

/** Hands out `first`, and `second` for what was refused; logs in with what is among `good`. */
async function logIn(first: string, second: string, good: readonly string[], error = refused) {
  const tried: string[] = [];
  const login = logInWith(
    async (_acntid, _protocol, given) => token(given ? second : first),
    account,
    async (credentials) => {
      const secret = credentials.kind === 'token' ? credentials.accessToken : '';
      tried.push(secret);
      if (!good.includes(secret)) throw error;
      return secret;
    },
  );
  return { tried, outcome: await login.catch((thrown: EngineError) => thrown.code) };
}

describe('a login', () => {
  it('that is taken asks for nothing else', async () => {
    expect(await logIn('a', 'b', ['a'])).toEqual({ tried: ['a'], outcome: 'a' });
  });
  it('that is refused is tried once more with another secret', async () => {
    expect(await logIn('a', 'b', ['b'])).toEqual({ tried: ['a', 'b'], outcome: 'b' });
  });
  it('that is refused twice is not tried a third time', async () => {
    expect(await logIn('a', 'b', [])).toEqual({ tried: ['a', 'b'], outcome: 'auth_failed' });
  });
  it('that is refused is not repeated with the same secret', async () => {
    expect(await logIn('a', 'a', [])).toEqual({ tried: ['a'], outcome: 'auth_failed' });
  });
  it('that fails for another reason asks for no other secret', async () => {
    const lost = new EngineError('connection_lost', '');
    expect(await logIn('a', 'b', [], lost)).toEqual({ tried: ['a'], outcome: 'connection_lost' });
  });
});

describe('masking', () => {
  it('hides a secret as it is and as SASL sends it, and an empty one not at all', () => {
    const password = { kind: 'password', user: 'anna', password: 'geheim' } as const;
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const text = `pw=geheim ${base64('geheim')} AUTHENTICATE PLAIN ${base64('\0anna\0geheim')}`;
    expect(maskCredentials(text, password)).toBe('pw=*** *** AUTHENTICATE PLAIN ***');
    const delegated = { ...password, authzid: 'boss' };
    expect(maskCredentials(base64('boss\0anna\0geheim'), delegated)).toBe('***');
    const quoted = String.raw`LOGIN anna "a\"b\\c"`;
    expect(maskCredentials(quoted, { ...password, password: String.raw`a"b\c` })).toBe('LOGIN anna "***"');
    const token = { kind: 'token', user: 'anna', accessToken: 'ya29.a-b_c' } as const;
    const bearer = base64('n,a=anna,\x01host=h\x01port=143\x01auth=Bearer ya29.a-b_c\x01\x01');
    expect(maskCredentials(`bad: AUTHENTICATE OAUTHBEARER ${bearer}`, token)).toBe('bad: AUTHENTICATE OAUTHBEARER ***');
    expect(maskCredentials(text, { ...password, password: '' })).toBe(text);
  });
});
