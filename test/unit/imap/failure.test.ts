import { describe, expect, it } from 'vitest';
import { toEngineError } from '../../../src/imap/failure.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const failure = (fields: Record<string, unknown>, message = 'Command failed') =>
  toEngineError(Object.assign(new Error(message), fields), { what: 'login as anna', nowMs });
const login = (serverResponseCode: string | undefined, responseText: string) =>
  failure({
    authenticationFailed: true,
    responseStatus: 'NO',
    responseText,
    ...(serverResponseCode ? { serverResponseCode } : {}),
  });

describe('a refused login', () => {
  it.each([
    ['AUTHENTICATIONFAILED', 'Authentication failed.', 'auth_failed'],
    ['AUTHORIZATIONFAILED', 'No such user', 'auth_failed'],
    ['EXPIRED', 'Password expired', 'auth_failed'],
    ['PRIVACYREQUIRED', 'TLS first', 'tls_unavailable'],
    ['UNAVAILABLE', 'Temporary authentication failure.', 'auth_unavailable'],
    ['INUSE', 'Mailbox in use', 'auth_unavailable'],
    ['LIMIT', 'Maximum number of connections from user+IP exceeded', 'too_many_connections'],
    ['OVERQUOTA', 'Account exceeded command or bandwidth limits', 'throttled'],
    ['ALERT', 'Too many simultaneous connections. (Failure)', 'too_many_connections'],
    [undefined, 'Server busy, try again later', 'auth_unavailable'],
    [undefined, 'LOGIN failed: invalid credentials', 'auth_failed'],
    [undefined, 'something nobody has seen before', 'auth_unavailable'],
  ])('with [%s] %s is %s', (responseCode, text, code) => {
    expect(login(responseCode, text).code).toBe(code);
  });

  it.each([
    ['401', 'AUTHENTICATE refused.', 'auth_failed'],
    ['400', 'no', 'auth_failed'],
    ['invalid_token', 'no', 'auth_failed'],
    ['503', 'no', 'auth_unavailable'],
  ])('with the token status %s says so, whatever the words', (status, responseText, code) => {
    const error = failure({ authenticationFailed: true, responseStatus: 'NO', responseText, oauthError: { status } });
    expect([error.code, error.detail]).toEqual([code, `login as anna: ${responseText} (token status ${status})`]);
  });

  it('for want of a mechanism waits for an operator', () => {
    expect(failure({}, 'Unsupported authentication mechanism').code).toBe('auth_unsupported');
  });

  it('names the server’s words and what was tried', () => {
    expect(login('AUTHENTICATIONFAILED', 'Authentication failed.').detail).toBe(
      'login as anna: [AUTHENTICATIONFAILED] Authentication failed.',
    );
  });
});

describe('the network', () => {
  it.each([
    ['ENOTFOUND', 'host_not_found'],
    ['ECONNREFUSED', 'connection_refused'],
    ['ECONNRESET', 'connection_lost'],
    ['ETIMEDOUT', 'timeout'],
    ['GREETING_TIMEOUT', 'not_imap'],
    ['CERT_HAS_EXPIRED', 'tls_expired'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_untrusted'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_wrong_host'],
    ['LiteralTooLarge', 'response_too_large'],
    ['NoConnection', 'connection_lost'],
  ])('%s is %s', (code, expected) => {
    expect(failure({ code }).code).toBe(expected);
  });
});

describe('a BYE', () => {
  it.each([
    ['Too many connections from your IP', 'too_many_connections'],
    ['Bandwidth limits exceeded', 'throttled'],
    ['Too many EXAMINE commands issued, please reconnect', 'connection_lost'],
    ['Too many protocol errors', 'connection_lost'],
    ['Server shutting down', 'connection_lost'],
  ])('"%s" is %s, in the server’s words', (reason, code) => {
    const error = failure({ code: 'ClosedAfterConnectText', reason }, 'Unexpected close');
    expect([error.code, error.detail]).toEqual([code, `login as anna: ${reason}`]);
  });
});

describe('a throttle', () => {
  it('keeps the wait that the server named', () => {
    const error = failure({
      code: 'ETHROTTLE',
      responseText: 'Request is throttled. Suggested Backoff Time: 299961 milliseconds',
    });
    expect([error.code, error.notBefore]).toEqual(['throttled', '2026-11-24T12:04:59.961Z']);
  });

  it.each([
    ['Download was rate limited. Try again in 300 seconds.', '2026-11-24T12:05:00.000Z'],
    ['Download was rate limited. Try again in 1 hour.', '2026-11-24T13:00:00.000Z'],
    ['UID FETCH Rate limit hit.', undefined],
    ['Account exceeded command or bandwidth limits. (Failure)', undefined],
  ])('is told by words alone, too: "%s"', (responseText, notBefore) => {
    const error = failure({ responseStatus: 'NO', responseText });
    expect([error.code, error.notBefore]).toEqual(['throttled', notBefore]);
  });

  it('is none that only the folder’s name speaks of', () => {
    const refused = (responseText: string) =>
      toEngineError(Object.assign(new Error(''), { responseStatus: 'NO', responseText }), {
        what: 'EXAMINE Bandwidth',
        nowMs,
      });
    expect(refused('Cannot open Bandwidth').code).toBe('command_refused');
    expect(refused('Bandwidth: rate limited').code).toBe('throttled');
  });

  it('without a wait names none', () => {
    expect(failure({ responseStatus: 'NO', responseText: '[OVERQUOTA] throttled' }).notBefore).toBeUndefined();
  });
});

describe('a refused command', () => {
  it('is the folder’s matter, and a missing folder is told apart', () => {
    expect(failure({ responseStatus: 'NO', responseText: 'not now' })).toMatchObject({
      code: 'command_refused',
      scope: 'folder',
    });
    expect(failure({ responseStatus: 'NO', serverResponseCode: 'NONEXISTENT' }).code).toBe('folder_missing');
  });

  it('keeps an EngineError as it is', () => {
    const error = failure({ code: 'ENOTFOUND' });
    expect(toEngineError(error, { what: 'x', nowMs })).toBe(error);
  });

  it('masks what the server repeats before the text is cut short: half a secret is one, too', () => {
    const secret = 'correct-horse-battery-staple';
    const error = Object.assign(new Error(''), { responseText: `${'x'.repeat(465)} ${secret}` });
    const mask = (text: string): string => text.replaceAll(secret, '***');
    expect(toEngineError(error, { what: 'login', nowMs }).detail).toContain('correct-horse');
    expect(toEngineError(error, { what: 'login', nowMs, mask }).detail).toMatch(/x \*\*\*$/);
  });
});
