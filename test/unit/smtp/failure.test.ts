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
    ['502 5.5.1 unknown command', 'tls_unavailable'],
  ])('STARTTLS that is answered %s is %s', (response, expected) => {
    expect(codeOf({ code: 'ETLS', command: 'STARTTLS', response })).toBe(expected);
  });

  it('is not told from the words of a reply', () => {
    const response = '535 5.7.8 the certificate has expired, unsupported protocol';
    expect(codeOf({ code: 'EAUTH', command: 'AUTH PLAIN', response }, `Invalid login: ${response}`)).toBe(
      'auth_failed',
    );
  });
});
