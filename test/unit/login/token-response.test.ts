import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSafeTokenUrl } from '../../../src/login/token-endpoint.ts';
import { readTokenResponse } from '../../../src/login/token-response.ts';

const read = (status: number, body: unknown, retryAfter: string | null = null) =>
  readTokenResponse({
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    retryAfter,
    mask: (text) => text,
  });
const token = { access_token: 'ya29.a0', token_type: 'Bearer', expires_in: 3599 };

describe('the answer of a token endpoint', () => {
  it.each([
    ['a token', token, { accessToken: 'ya29.a0', refreshToken: null, expiresInSeconds: 3599 }],
    ['a rotated one', { ...token, refresh_token: 'r2' }, { refreshToken: 'r2' }],
    ['a life in a string', { ...token, expires_in: '3599' }, { expiresInSeconds: 3599 }],
    ['no life', { ...token, expires_in: undefined }, { expiresInSeconds: null }],
    ['nonsense as life', { ...token, expires_in: -5 }, { expiresInSeconds: null }],
    ['no type', { access_token: 'x' }, { accessToken: 'x' }],
  ])('with %s is taken', (_title, body, expected) => {
    expect(read(200, body)).toMatchObject({ kind: 'token', ...expected });
  });

  it.each([
    [
      400,
      { error: 'invalid_grant', error_description: 'Token has been\nrevoked.' },
      'invalid_grant: Token has been revoked.',
    ],
    [401, { error: 'invalid_client' }, 'invalid_client'],
    [400, { error: 'interaction_required' }, 'interaction_required'],
  ])('%i %j is a refusal', (status, body, error) => {
    expect(read(status, body)).toMatchObject({ kind: 'refused', error });
  });

  it.each([
    [500, 'Internal Server Error'],
    [503, { error: 'temporarily_unavailable' }],
    [400, { error: 'slow_down' }],
    [429, { error: 'invalid_grant' }],
    [404, '<html>not here</html>'],
    [400, ''],
    [200, 'access_token=x'],
    [200, []],
    [200, null],
    [200, { access_token: 'with space' }],
    [200, { access_token: 'x\u0001auth=Bearer y' }],
    [200, { access_token: '' }],
    [200, { access_token: 'x'.repeat(20_000) }],
    [200, { access_token: 'x', token_type: 'mac' }],
  ])('%i %j passes, perhaps', (status, body) => {
    expect(read(status, body)).toMatchObject({ kind: 'unavailable', error: expect.stringContaining(`HTTP ${status}`) });
  });

  it('tells when to come again', () => {
    expect(read(503, '', '120')).toMatchObject({ retryAfterSeconds: 120 });
    expect(read(503, '', 'Wed, 21 Oct 2026 07:28:00 GMT')).toMatchObject({ retryAfterSeconds: null });
  });

  it('whatever it is, is a token that can go into a login or one line of words', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ access_token: fc.anything(), error: fc.string({ unit: 'binary' }), error_description: fc.anything() })
        .map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.constantFrom(200, 400, 401, 500), anything, (status, body) => {
        const answer = read(status, body);
        if (answer.kind === 'token') expect(answer.accessToken).toMatch(/^[\x21-\x7e]+$/);
        else expect(answer.error).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}/u);
      }),
    );
  });
});

describe('a token URL', () => {
  it.each(['https://login.example.com/token', 'http://127.0.0.1:8080/t', 'http://localhost/t', 'http://[::1]:1/t'])(
    '%s is asked',
    (url) => expect(isSafeTokenUrl(url)).toBe(true),
  );
  it.each([
    'http://login.example.com/token',
    'http://127.0.0.1.evil.example/',
    'https://user:pw@login.example.com/',
    'file:///etc/passwd',
    'login.example.com',
    '',
  ])('%s is not', (url) => expect(isSafeTokenUrl(url)).toBe(false));
});
