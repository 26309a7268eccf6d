/** A certificate authority of a test's own, and a certificate for names of its choice; made by openssl in a temp folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasOpenssl = (): boolean => existsSync('/usr/bin/openssl');

export interface TestCa {
  /** Files: the authority's certificate (NODE_EXTRA_CA_CERTS), the server's certificate and key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  remove(): void;
}

export function createTestCa(names: readonly string[]): TestCa {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-ca-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('/usr/bin/openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  openssl('req', ...newKey, '-keyout', file('key.pem'), '-out', file('request.pem'), '-subj', '/CN=test server');
  writeFileSync(file('names'), `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\n`);
  const signed = [
    '-CA',
    file('ca.pem'),
    '-CAkey',
    file('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    file('names'),
  ];
  openssl('x509', '-req', '-in', file('request.pem'), '-out', file('cert.pem'), ...signed);
  return {
    ca: file('ca.pem'),
    cert: file('cert.pem'),
    key: file('key.pem'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
