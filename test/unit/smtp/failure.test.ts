import { describe, expect, it } from 'vitest';
import { toSmtpFailure } from '../../../src/smtp/failure.ts';

const codeOf = (fields: Record<string, unknown>, message = 'it broke'): string =>
  toSmtpFailure(Object.assign(new Error(message), fields), 'smtp mail.example.com').code;

describe('a failure of the SMTP connection', () => {
  it.each([
    ['CERT_HAS_EXPIRED', 'tls_expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_wrong_host'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_untrusted'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'connection_lost'],
    ['ECONNREFUSED', 'connection_refused'],
  ])('by %s is %s', (originalCode, expected) => {
    expect(codeOf({ code: 'ESOCKET', originalCode })).toBe(expected);
  });

  it.each([
    ['454 TLS not available due to temporary reason', 'connection_refused'],
    ['454 4.7.0 Error: too many new TLS sessions from mail.example.com', 'too_many_connections'],
    ['502 5.5.1 unknown command', 'tls_unavailable'],
  ])('STARTTLS that is answered %s is %s', (response, expected) => {
    expect(codeOf({ code: 'ETLS', command: 'STARTTLS', response })).toBe(expected);
  });

  it.each([
    ['554 5.7.1 <[127.0.0.1]>: Helo command rejected: Access denied', 'connection_refused'],
    ['450 4.7.1 try again later', 'connection_refused'],
    ['502 5.5.1 unknown command', 'tls_unavailable'],
  ])('EHLO that is answered %s, where STARTTLS is wanted, is %s', (response, expected) => {
    const message = `EHLO failed but HELO does not support required STARTTLS. response=${response}`;
    expect(codeOf({ code: 'ECONNECTION', command: 'EHLO', response }, message)).toBe(expected);
  });

  it('is not told from the words of a reply', () => {
    const response = '535 5.7.8 the certificate has expired, unsupported protocol';
    expect(codeOf({ code: 'EAUTH', command: 'AUTH PLAIN', response }, `Invalid login: ${response}`)).toBe(
      'auth_failed',
    );
  });
});
