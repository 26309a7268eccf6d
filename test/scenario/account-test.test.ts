/** `account test` against real sockets: whatever is wrong is one plain line that says what it is and what to do. */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, type Certificate, createAuthority, hasOpenssl } from '../support/certificates.ts';
import { startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { type FakeSmtpServer, startFakeSmtp } from '../support/fake-smtp-server.ts';
import { createInstallation, type Outcome } from '../support/installation.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Target {
  readonly security: 'tls' | 'starttls' | 'none';
  readonly host?: string;
  readonly port: number;
  readonly password?: string | null;
  readonly trust?: string;
  readonly smtpPort?: number;
  readonly options?: readonly string[];
}

async function accountTest(target: Target): Promise<Outcome & { readonly durationMs: number }> {
  const installation = createInstallation({ EMAIL_NETWORK_TIMEOUT: 2 });
  cleanups.push(() => installation.remove());
  const scheme = target.security === 'tls' ? 'imaps' : 'imap';
  const host = target.host ?? (target.security === 'none' ? '127.0.0.1' : 'localhost');
  const url = `${scheme}://anna@${target.security === 'starttls' ? 'mail.example.com' : host}:${target.port}`;
  const add = ['account', 'add', '--email', 'anna@example.com', '--imap', url, '--password-env', 'TEST_PASSWORD'];
  const smtp = target.smtpPort === undefined ? [] : ['--smtp', `smtp://anna@127.0.0.1:${target.smtpPort}`];
  const added = await installation.command(...add, ...smtp);
  expect(added.stderr).toBe('');
  if (target.security === 'starttls') {
    // For a loopback host it would be no TLS at all.
    const { openSqlite } = await import('../../src/base/sqlite.ts');
    const database = openSqlite(installation.storeFile);
    database.prepare("UPDATE email_accounts SET imap_host = 'localhost'").run();
    database.close();
  }
  const startedMs = performance.now();
  const test = ['account', 'test', added.stdout.trim(), ...(target.options ?? [])];
  const outcome = await (target.trust === undefined
    ? installation.command(...test)
    : installation.runWith({ NODE_EXTRA_CA_CERTS: target.trust }, ...test));
  return { ...outcome, durationMs: performance.now() - startedMs };
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** Answers each line by what `answers` says for its verb. */
const speaking =
  (greeting: string, answers: Readonly<Record<string, string>> = {}) =>
  (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    socket.write(greeting);
    socket.on('data', (data: Buffer) => {
      for (const line of data.toString('latin1').split('\r\n').filter(Boolean)) {
        const [tag = '', verb = ''] = line.split(' ');
        const answer = answers[verb.toUpperCase()] ?? 'OK done';
        socket.write(
          answer.replaceAll('TAG', tag).startsWith('*') ? answer.replaceAll('TAG', tag) : `${tag} ${answer}\r\n`,
        );
      }
    });
  };

async function startBoth(): Promise<{ port: number; smtp: FakeSmtpServer }> {
  const [imap, smtp] = [await startFakeImap({ folders: [folder('INBOX', 3)] }), await startFakeSmtp()];
  cleanups.push(
    () => imap.stop(),
    () => smtp.stop(),
  );
  return { port: imap.port, smtp };
}

const capability = '* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n';

function expectOneLine(outcome: Outcome, code: number, ...says: readonly RegExp[]): void {
  expect(outcome).toMatchObject({ code, stdout: '' });
  expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(outcome.stderr).toMatch(/^backproc: [A-Z].*\(.+\)\n$/);
  for (const pattern of says) expect(outcome.stderr).toMatch(pattern);
  expect(outcome.stderr).not.toContain('pw');
}

describe('account test says', () => {
  it('that all is well, with capabilities and folders', async () => {
    const server = await startFakeImap({ folders: [folder('INBOX', 3)] });
    cleanups.push(() => server.stop());
    const outcome = await accountTest({ security: 'none', port: server.port });
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/logged in as anna[\s\S]*capabilities: .*CONDSTORE[\s\S]*INBOX/);
  });

  it('that the account can send, without sending anything', async () => {
    const { port, smtp } = await startBoth();
    const outcome = await accountTest({ security: 'none', port, smtpPort: smtp.port });
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toMatch(
      /INBOX[\s\S]*logged in as anna to send, takes mails of up to 50.0 MB\ncapabilities: .*SMTPUTF8/,
    );
    expect(smtp.commands.map((line) => line.split(' ')[1])).toEqual(['EHLO', 'AUTH', 'QUIT']);
  });

  it('that nobody logged in where the server offers no login', async () => {
    const imap = await startFakeImap({ folders: [folder('INBOX', 3)] });
    const smtp = await startFakeSmtp({ extensions: ['PIPELINING', 'SIZE 50000000'] });
    cleanups.push(
      () => imap.stop(),
      () => smtp.stop(),
    );
    const target = { security: 'none', port: imap.port, smtpPort: smtp.port } as const;
    const outcome = await accountTest(target);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toContain(
      `127.0.0.1:${smtp.port}: connected, but not logged in: the server offers no login`,
    );
    expect(outcome.stdout).not.toContain('to send');
    const json = JSON.parse((await accountTest({ ...target, options: ['--json'] })).stdout) as unknown;
    expect(json).toMatchObject({ smtp: { isLoggedIn: false, capabilities: ['PIPELINING'] } });
  });

  it('that it cannot send, and what IMAP gave beside it', async () => {
    const { port, smtp } = await startBoth();
    smtp.script = ({ verb }) => (verb === 'AUTH' ? { reply: '535 5.7.8 no' } : undefined);
    const outcome = await accountTest({ security: 'none', port, smtpPort: smtp.port });
    expect(outcome.stdout).toMatch(/logged in as anna[\s\S]*INBOX/);
    expectOneLine({ ...outcome, stdout: '' }, 78, /refused this login/, /535 5\.7\.8 no/);
  });

  it('the same as JSON', async () => {
    const { port, smtp } = await startBoth();
    const target = { security: 'none', port, smtpPort: smtp.port, options: ['--json'] } as const;
    expect(JSON.parse((await accountTest(target)).stdout)).toMatchObject({
      mechanism: expect.any(String) as string,
      folders: [{ path: 'INBOX' }],
      smtp: { capabilities: ['8BITMIME', 'PIPELINING', 'SMTPUTF8'], sizeBytesMax: 50_000_000 },
    });
    smtp.script = ({ verb }) => (verb === 'CONNECT' ? { reply: '554 5.3.2 no service' } : undefined);
    const failed = await accountTest(target);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      smtp: { error: { detail: expect.stringContaining('554') as string } },
    });
    expect(failed.code).not.toBe(0);
    const without = await accountTest({ security: 'none', port, options: ['--json'] });
    expect(JSON.parse(without.stdout)).toMatchObject({ smtp: null });
  });

  it('that the name was not found', async () => {
    const outcome = await accountTest({ security: 'tls', host: 'no-such-host.invalid', port: 993 });
    expectOneLine(outcome, 75, /name .* not found/, /no-such-host\.invalid/, /Check the host name/);
  });

  it('that the connection was refused', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expectOneLine(await accountTest({ security: 'none', port }), 75, /refused the connection/, /Check host, port/);
  });

  it('that what answers is no IMAP server', async () => {
    const port = await listen(createServer(speaking('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expectOneLine(await accountTest({ security: 'none', port }), 75, /not an IMAP server/, /Check port and security/);
  });

  it('that there is no TLS where it was expected', async () => {
    const port = await listen(createServer(speaking('* OK ready\r\n')));
    expectOneLine(
      await accountTest({ security: 'tls', port }),
      75,
      /not an IMAP server, or TLS/,
      /Check port and security/,
    );
  });

  it('that STARTTLS is missing', async () => {
    const port = await listen(createServer(speaking('* OK ready\r\n', { CAPABILITY: capability })));
    expectOneLine(await accountTest({ security: 'starttls', port }), 78, /does not offer STARTTLS/, /imaps:/);
  });

  it('that nothing answers in time', async () => {
    const port = await listen(createServer(() => undefined));
    const outcome = await accountTest({ security: 'none', port });
    expectOneLine(outcome, 75, /did not (answer|greet)|not an IMAP server/, /EMAIL_NETWORK_TIMEOUT|Check port/);
    expect(outcome.durationMs).toBeLessThan(20_000);
  });

  it('that it fell silent after the login', async () => {
    const server = await startFakeImap({
      folders: [folder('INBOX', 1)],
      script: ({ verb }) => (verb === 'LIST' ? { parts: [] } : undefined),
    });
    cleanups.push(() => server.stop());
    const outcome = await accountTest({ security: 'none', port: server.port });
    expectOneLine(outcome, 75, /did not answer in time/, /EMAIL_NETWORK_TIMEOUT/);
    expect(outcome.durationMs).toBeLessThan(20_000);
  });

  for (const [what, answer, code, says] of [
    ['that the password is wrong', 'NO [AUTHENTICATIONFAILED] Authentication failed.', 78, /Set the right password/],
    ['that the password is wrong, without a code', 'NO Login failed.', 78, /Set the right password/],
    ['that there are too many connections', 'NO [LIMIT] Maximum number of connections', 75, /no more connections/],
    ['that logins cannot be checked now', 'NO [UNAVAILABLE] Temporary failure', 75, /cannot check logins now/],
  ] as const) {
    it(what, async () => {
      const server = await startFakeImap({
        folders: [],
        script: ({ verb, tag }) => (verb === 'LOGIN' ? { parts: [`${tag} ${answer}\r\n`] } : undefined),
      });
      cleanups.push(() => server.stop());
      expectOneLine(await accountTest({ security: 'none', port: server.port }), code, says);
    });
  }

  it('that the connection broke when the server cuts it at the login', async () => {
    const server = await startFakeImap({
      folders: [],
      script: ({ verb }) => (verb === 'LOGIN' ? { parts: [], ending: 'close' } : undefined),
    });
    cleanups.push(() => server.stop());
    expectOneLine(await accountTest({ security: 'none', port: server.port }), 75, /connection broke/);
  });

  it('that the server takes no login at all', async () => {
    const disabled = '* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nTAG OK done\r\n';
    const port = await listen(createServer(speaking('* OK ready\r\n', { CAPABILITY: disabled })));
    expectOneLine(await accountTest({ security: 'none', port }), 78, /does not offer the way of logging in/);
  });

  it('that the server is full, when it says so instead of a greeting', async () => {
    const port = await listen(createServer((socket) => socket.end('* BYE Too many connections from your IP\r\n')));
    expectOneLine(await accountTest({ security: 'none', port }), 75, /no more connections/, /Too many connections/);
  });
});

describe.runIf(hasOpenssl())('account test says of a certificate', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = createAuthority();
  });
  afterAll(() => authority.remove());
  const serve = (certificate: Certificate): Promise<number> =>
    listen(createTlsServer(certificate, speaking('* OK ready\r\n', { CAPABILITY: capability })));

  it('that its issuer is not known', async () => {
    const port = await serve(authority.issue('localhost', 10));
    expectOneLine(
      await accountTest({ security: 'tls', port }),
      78,
      /certificate/,
      /not trusted/,
      /NODE_EXTRA_CA_CERTS/,
    );
  });

  it('that it has expired', async () => {
    const port = await serve(authority.issue('localhost', -1));
    const outcome = await accountTest({ security: 'tls', port, trust: authority.file });
    expectOneLine(outcome, 78, /expired/, /renewed/);
  });

  it('that it was made for another name', async () => {
    const port = await serve(authority.issue('other.example.com', 10));
    const outcome = await accountTest({ security: 'tls', port, trust: authority.file });
    expectOneLine(outcome, 78, /another name/, /other\.example\.com/);
  });

  /** `more`: in the clear, behind the OK to STARTTLS. */
  const serveStarttls = (certificate: Certificate, more = ''): Promise<number> =>
    listen(
      createServer((socket) => {
        socket.write('* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n');
        socket.on('data', (data: Buffer) => {
          const [tag = '', verb = ''] = data.toString('latin1').split(/[ \r]/);
          if (verb === 'CAPABILITY') socket.write(`* CAPABILITY IMAP4rev1 STARTTLS\r\n${tag} OK done\r\n`);
          if (verb !== 'STARTTLS') return;
          socket.removeAllListeners('data');
          socket.write(`${tag} OK go\r\n${more}`);
          new TLSSocket(socket, { isServer: true, ...certificate }).on('error', () => socket.destroy());
        });
      }),
    );

  it('the same behind STARTTLS', async () => {
    const port = await serveStarttls(authority.issue('other.example.com', 10));
    const outcome = await accountTest({ security: 'starttls', port, trust: authority.file });
    expectOneLine(outcome, 78, /another name/);
  });

  it('nothing, but that more was said in the clear after STARTTLS', async () => {
    const port = await serveStarttls(authority.issue('localhost', 10), '* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n');
    const outcome = await accountTest({ security: 'starttls', port, trust: authority.file });
    expectOneLine(outcome, 78, /more in the clear after STARTTLS/, /imaps:/);
  });

  it('nothing, but that the server is too old for TLS 1.2', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const server = createTlsServer({ ...authority.issue('localhost', 10), ...old });
    server.on('tlsClientError', () => undefined);
    const outcome = await accountTest({ security: 'tls', port: await listen(server), trust: authority.file });
    expectOneLine(outcome, 78, /No TLS was agreed on/, /TLS 1\.2/);
  });
});
