import { describe, expect, it } from 'vitest';
import { tlsTroubleOf } from '../../../src/base/tls-trouble.ts';

describe('TLS that failed', () => {
  it.each([
    ['CERT_HAS_EXPIRED', 'certificate has expired', 'tls_expired'],
    ['', 'certificate has expired', 'tls_expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'Hostname/IP does not match certificate’s altnames', 'tls_wrong_host'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', 'tls_untrusted'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', 'tls_untrusted'],
    [
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      'SSL routines:ssl3_read_bytes:tlsv1 alert protocol version',
      'tls_disagreed',
    ],
    ['', 'error:0A000102:SSL routines::unsupported protocol', 'tls_disagreed'],
    ['', 'SSL routines:ssl3_read_bytes:sslv3 alert handshake failure', 'tls_disagreed'],
    ['', 'SSL routines:ssl3_read_bytes:tlsv13 alert certificate required', 'tls_disagreed'],
    ['', 'SSL routines:tls_process_ske_dhe:dh key too small', 'tls_disagreed'],
    ['', 'SSL routines:ssl3_get_record:wrong version number', null],
    ['ECONNRESET', 'read ECONNRESET', null],
  ])('with %s, %s is %s', (code, message, expected) => {
    expect(tlsTroubleOf(code, message)).toBe(expected);
  });
});
