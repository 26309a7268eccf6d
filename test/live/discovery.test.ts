/** `account add --email E` alone: a DNS, a web server with TLS and a Dovecot with TLS of the test's own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Dovecot, freePort, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { type FakeDns, startFakeDns } from '../support/fake-dns.ts';
import { createInstallation, type Installation, mainFile, type Outcome } from '../support/installation.ts';
import { createTestCa, hasOpenssl, type TestCa } from '../support/test-ca.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let ca: TestCa;
let web: Server;
let webPort: number;
let dns: FakeDns;
let dovecot: Dovecot;
let imapsPort: number;
let answer: Handler;
let installation: Installation;
const urls: string[] = [];
const canRun = hasDovecot() && hasOpenssl();
const notFound: Handler = (_request, response) => void response.writeHead(404).end();

const tlsDovecot = (): Promise<Dovecot> =>
  startDovecot({
    extra: `
ssl = yes
ssl_cert = <${ca.cert}
ssl_key = <${ca.key}
disable_plaintext_auth = yes
auth_failure_delay = 0
service imap-login {
  inet_listener imaps {
    port = ${imapsPort}
    ssl = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}`,
  });

async function startWeb(): Promise<void> {
  web = createServer({ cert: readFileSync(ca.cert), key: readFileSync(ca.key) }, (request, response) => {
    urls.push(`https://${request.headers.host?.split(':')[0]}${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const address = web.address();
  webPort = typeof address === 'object' && address ? address.port : 0;
}

beforeAll(async () => {
  if (!canRun) return;
  ca = createTestCa(['localhost', 'firma.example', '*.firma.example', 'hoster.example']);
  imapsPort = await freePort();
  [dovecot, dns] = await Promise.all([tlsDovecot(), startFakeDns()]);
  await startWeb();
});
afterAll(async () => {
  if (!canRun) return;
  await dovecot.stop();
  await dns.stop();
  web.closeAllConnections();
  await new Promise((resolve) => web.close(resolve));
  ca.remove();
});
beforeEach(() => {
  installation = createInstallation();
  answer = notFound;
  dns.srv.clear();
  dns.mx.clear();
  dns.isSilent = false;
  urls.length = 0;
});
afterEach(() => installation.remove());

const discoveryAt = (): string => JSON.stringify({ dns: dns.address, port: webPort });
const addAnna = (password: string): string[] =>
  `account add --email anna@firma.example --password-env ${password}`.split(' ');
const add = (...options: string[]): Promise<Outcome> =>
  installation.runWith(
    { NODE_EXTRA_CA_CERTS: ca.ca, BACKPROC_TEST_DISCOVERY: discoveryAt() },
    ...addAnna('TEST_PASSWORD'),
    ...options,
  );
const file = (port: number, socketType = 'SSL', hostname = 'localhost'): string => `<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="firma.example">
  <incomingServer type="imap"><hostname>${hostname}</hostname><port>${port}</port><socketType>${socketType}</socketType>
    <username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
  <outgoingServer type="smtp"><hostname>smtp.firma.example</hostname><port>465</port><socketType>SSL</socketType></outgoingServer>
</emailProvider></clientConfig>`;
const accounts = (): unknown[] =>
  existsSync(installation.storeFile)
    ? installation.query('SELECT imap_host, imap_port, imap_security, imap_user, smtp_host FROM email_accounts')
    : [];

describe.runIf(canRun)('an account whose servers are not named', () => {
  it('gets those of the domain’s autoconfig, tried and stored', async () => {
    answer = (_request, response) => void response.end(file(imapsPort));
    const outcome = await add('--json');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      acntid: 1,
      found: { source: 'autoconfig', where: 'https://autoconfig.firma.example/mail/config-v1.1.xml' },
    });
    expect(accounts()).toEqual([
      {
        imap_host: 'localhost',
        imap_port: imapsPort,
        imap_security: 'tls',
        imap_user: 'anna',
        smtp_host: 'smtp.firma.example',
      },
    ]);
    expect(dns.questions).toContain('SRV _imaps._tcp.firma.example');
  });

  it('gets those at the well-known place, after a redirect', async () => {
    answer = (request, response) => {
      if (request.url?.startsWith('/.well-known/'))
        response.writeHead(302, { location: 'https://hoster.example/x' }).end();
      else if (request.url === '/x') response.end(file(imapsPort));
      else notFound(request, response);
    };
    expect(await add()).toMatchObject({ code: 0, stdout: '1\n', stderr: '' });
    expect(urls).toContain('https://hoster.example/x');
  });

  it('gets those of SRV records, by whichever login is taken, once somebody has looked', async () => {
    dns.srv.set('_imaps._tcp.firma.example', [{ port: imapsPort, name: 'localhost' }]);
    const refused = await add();
    expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining('Say --yes')]);
    expect(accounts()).toEqual([]);
    expect(await add('--yes')).toMatchObject({ code: 0, stdout: '1\n' });
    // This Dovecot knows every name; the whole address is tried first.
    expect(accounts()).toMatchObject([{ imap_host: 'localhost', imap_user: 'anna@firma.example' }]);
  });

  it('is guessed by MX, and told what such a provider asks for', async () => {
    dns.mx.set('firma.example', ['firma-example.mail.protection.outlook.com']);
    const outcome = await add('--yes');
    expect([outcome.code, outcome.stderr]).toEqual([64, expect.stringContaining('--oauth-preset microsoft')]);
    dns.mx.set('firma.example', ['aspmx.l.google.com']);
    expect(await add('--yes', '--no-test')).toMatchObject({ code: 0, stdout: '1\n' });
    expect(accounts()).toMatchObject([{ imap_host: 'imap.gmail.com', imap_user: 'anna@firma.example' }]);
  });

  it('is not stored when its login fails', async () => {
    answer = (_request, response) => void response.end(file(imapsPort));
    const outcome = await installation.runWith(
      {
        NODE_EXTRA_CA_CERTS: ca.ca,
        BACKPROC_TEST_DISCOVERY: discoveryAt(),
        WRONG: 'canary-password',
      },
      ...addAnna('WRONG'),
    );
    expect([outcome.code, outcome.stdout, accounts()]).toEqual([78, '', []]);
    expect(outcome.stderr).not.toContain('canary');
  });

  it.each<[string, Handler, RegExp]>([
    ['offers plaintext alone', (_, response) => void response.end(file(143, 'plain')), /no IMAP server with TLS/],
    [
      'leads to an address',
      (_, response) => void response.end(file(993, 'SSL', '10.0.0.1')),
      /no IMAP server with TLS/,
    ],
    [
      'redirects to plain HTTP',
      (_, response) => void response.writeHead(302, { location: 'http://firma.example/' }).end(),
      /not followed/,
    ],
    [
      'redirects for ever',
      (_, response) => void response.writeHead(302, { location: 'https://firma.example/' }).end(),
      /3 redirects/,
    ],
    ['sends no XML', (_, response) => void response.end('<html><p>hello'), /autoconfig/],
    ['sends without end', (_, response) => void response.end('<x>'.repeat(200_000)), /262144 bytes/],
    ['has nothing', notFound, /HTTP 404/],
  ])('finds none where the web server %s, and says where it looked', async (_title, handler, words) => {
    answer = handler;
    const outcome = await add();
    expect([outcome.code, outcome.stdout, accounts()]).toEqual([64, '', []]);
    expect(outcome.stderr).toMatch(words);
    expect(outcome.stderr).toMatch(/SRV records of firma.example: none/);
  });

  it.runIf(existsSync('/usr/bin/script'))(
    'shows on a terminal what was found, asks, and hides the password',
    async () => {
      dns.srv.set('_imaps._tcp.firma.example', [{ port: imapsPort, name: 'localhost' }]);
      const command = `'${process.execPath}' '${mainFile}' account add --email anna@firma.example`;
      const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
        cwd: installation.folder,
        env: { ...process.env, NODE_EXTRA_CA_CERTS: ca.ca, BACKPROC_TEST_DISCOVERY: discoveryAt() },
      });
      let screen = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        screen += text;
      });
      const ended = once(child, 'exit');
      await expect.poll(() => screen, { timeout: 30_000 }).toContain('Use the first of these? [y/N]');
      child.stdin.write('y\n');
      await expect.poll(() => screen, { timeout: 30_000 }).toContain('Password:');
      child.stdin.write('pw\n');
      expect((await ended)[0]).toBe(0);
      expect(screen).toMatch(/localhost:\d+ \(tls\).*_imaps\._tcp\.firma\.example in the DNS \(not vouched for/);
      expect(screen).toMatch(/logged in as anna@firma\.example by PLAIN/);
      expect(screen).not.toMatch(/\bpw\b/);
      expect(accounts()).toMatchObject([{ imap_user: 'anna@firma.example' }]);
    },
  );

  it('does not wait for ever for a DNS that is silent', async () => {
    dns.isSilent = true;
    answer = (_request, response) => void response.end(file(imapsPort));
    expect(await add()).toMatchObject({ code: 0, stdout: '1\n' });
  });

  it('trusts no web server without a certificate for the domain', async () => {
    answer = (_request, response) => void response.end(file(imapsPort));
    const outcome = await installation.runWith(
      { NODE_EXTRA_CA_CERTS: '', BACKPROC_TEST_DISCOVERY: discoveryAt() },
      ...addAnna('TEST_PASSWORD'),
    );
    expect([outcome.code, urls]).toEqual([64, []]);
    expect(outcome.stderr).toMatch(/certificate/);
  });
});
