/**
 * What Node and OpenSSL say when TLS fails, in our codes: the same for every protocol. Pure. Null: it is about something else,
 * such as a port where no TLS is spoken.
 */
import type { ErrorCode } from './errors.ts';

export function tlsTroubleOf(code: string, message: string): ErrorCode | null {
  if (code === 'CERT_HAS_EXPIRED' || /certificate has expired/i.test(message)) return 'tls_expired';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || /altnames/i.test(message)) return 'tls_wrong_host';
  if (untrustedCode.test(code) || untrustedText.test(message)) return 'tls_untrusted';
  return disagreement.test(message) ? 'tls_disagreed' : null;
}

const untrustedCode = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;
const untrustedText = /self[- ]signed certificate|unable to verify/i;

/** Alerts of the server and refusals of ours: the version, the cipher, the key, or that it wants a certificate of the client. */
const disagreement =
  /alert (protocol version|handshake failure|insufficient security|certificate required)|unsupported protocol|no (shared cipher|protocols available)|key too small|legacy renegotiation/i;
