/** Certificates of a test's own authority, made by openssl: good ones, expired ones, ones for another name. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

export interface Authority {
  /** For NODE_EXTRA_CA_CERTS. */
  readonly file: string;
  /** `days` −1: expired since yesterday. */
  issue(name: string, days: number): Certificate;
  remove(): void;
}

export const hasOpenssl = (): boolean =>
  ['/usr/bin/openssl', '/usr/local/bin/openssl'].some((file) => existsSync(file));

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-ca-'));
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = (file: string): string[] => ['-newkey', 'rsa:2048', '-nodes', '-keyout', file];
  openssl('req', '-x509', ...key('ca.key'), '-out', 'ca.pem', '-subj', '/CN=test authority', '-days', '10');
  return {
    file: join(folder, 'ca.pem'),
    issue(name, days) {
      writeFileSync(join(folder, 'extensions'), `subjectAltName=DNS:${name}\n`);
      openssl('req', ...key('key.pem'), '-out', 'request.pem', '-subj', `/CN=${name}`);
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'extensions'];
      openssl('x509', '-req', '-in', 'request.pem', ...by, '-days', String(days), '-out', 'cert.pem');
      return { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
