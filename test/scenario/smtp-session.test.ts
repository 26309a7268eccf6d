/** The SMTP session against a scripted server: what goes over the wire, and when (RFC 5321, 3207, 4954, 6531). */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/base/credentials.ts';
import { openSmtp } from '../../src/smtp/open-session.ts';
import { createSmtpPool } from '../../src/smtp/pool.ts';
import { type SendHooks, type SmtpOptions, type SmtpSession, smtpTimeouts } from '../../src/smtp/session.ts';
import { makePlace, newAccount, openInProcess, select } from '../contract/store-fixture.ts';
import {
  type FakeSmtpOptions,
  type FakeSmtpServer,
  startFakeSmtp,
  usualExtensions,
} from '../support/fake-smtp-server.ts';
import { spawnOutbox } from '../support/outbox-child.ts';

const message = Buffer.from('From: a@x.org\r\nTo: b@x.org\r\n\r\nA line.\r\n.dot\r\n');
const hooks: SendHooks = { onDataStarted: () => Promise.resolve(), onReplyLate: () => undefined };
const password: Credentials = { kind: 'password', user: 'anna', password: 'canary-password' };

const running: FakeSmtpServer[] = [];
const opened: SmtpSession[] = [];
afterEach(async () => {
  for (const session of opened.splice(0)) session.abort();
  for (const server of running.splice(0)) await server.stop();
});
async function start(options: FakeSmtpOptions = {}): Promise<FakeSmtpServer> {
  const server = await startFakeSmtp(options);
  running.push(server);
  return server;
}
async function open(server: FakeSmtpServer, more: Partial<SmtpOptions> = {}): Promise<SmtpSession> {
  const session = await openSmtp({
    host: '127.0.0.1',
    port: server.port,
    security: 'none',
    allowPlaintext: false,
    credentials: password,
    timeouts: smtpTimeouts(1000),
    signal: new AbortController().signal,
    ...more,
  });
  opened.push(session);
  return session;
}
const envelope = (...to: string[]) => ({ from: 'a@x.org', to, needsUtf8: false });
const never = new AbortController().signal;

describe('the body', () => {
  it.each([
    ['with pipelining', usualExtensions],
    ['without', ['8BITMIME']],
  ])('does not leave by a byte before its start is written down, %s', async (_, extensions) => {
    const order: string[] = [];
    const server = await start({ extensions, script: ({ verb }) => void order.push(verb) });
    const session = await open(server);
    const onDataStarted = async (): Promise<void> => {
      order.push('asked');
      await wait(150);
      order.push('committed');
    };
    const outcome = await session.send(envelope('b@x.org', 'c@x.org'), message, { ...hooks, onDataStarted }, never);
    expect(outcome).toMatchObject({ phase: 'body_sent', accepted: ['b@x.org', 'c@x.org'], reply: { code: 250 } });
    expect(order.slice(order.indexOf('DATA'))).toEqual(['DATA', 'asked', 'committed', 'BODY', 'DOT']);
    expect(server.sink.map(({ raw }) => raw.equals(message))).toEqual([true, true]);
  });

  it('does not leave at all when its start cannot be written down', async () => {
    const server = await start();
    const session = await open(server);
    const onDataStarted = (): Promise<void> => Promise.reject(new Error('disk full'));
    const outcome = await session.send(envelope('b@x.org'), message, { ...hooks, onDataStarted }, never);
    expect(outcome).toMatchObject({ phase: 'envelope', reply: null, failure: { code: 'bug' } });
    expect(session.isUsable).toBe(false);
    await wait(50);
    expect(server.sink).toEqual([]);
  });

  it('is cut by a stop before it begins, and may end once it has begun', async () => {
    const server = await start();
    const early = new AbortController();
    const first = await open(server);
    const cut = await first.send(
      envelope('b@x.org'),
      message,
      { ...hooks, onDataStarted: async () => early.abort() },
      early.signal,
    );
    expect(cut).toMatchObject({ phase: 'envelope', failure: { code: 'aborted' } });
    const late = new AbortController();
    server.script = async ({ verb }) => {
      if (verb !== 'DOT') return undefined;
      late.abort();
      await wait(100);
      return undefined;
    };
    const second = await open(server);
    expect(await second.send(envelope('b@x.org'), message, hooks, late.signal)).toMatchObject({
      phase: 'body_sent',
      reply: { code: 250 },
    });
    expect(server.sink).toHaveLength(1);
  });

  it('that was refused leaves nothing behind for the next one, at a server that keeps the transaction, too', async () => {
    let stands = false;
    let isWelcome = true;
    const server = await start({
      script: ({ verb, address }) => {
        if (verb === 'RSET') stands = false;
        if (verb === 'MAIL' && stands) return { reply: '503 5.5.1 Error: nested MAIL command' };
        stands ||= verb === 'MAIL';
        if (verb === 'RCPT') isWelcome = address !== 'b@x.org';
        return verb === 'DOT' && !isWelcome ? { reply: '554 5.7.1 no thanks' } : undefined;
      },
    });
    const session = await open(server);
    const first = await session.send(envelope('b@x.org'), message, hooks, never);
    expect(first).toMatchObject({ phase: 'body_sent', reply: { code: 554 } });
    expect(session.isUsable).toBe(true);
    const second = await session.send(envelope('c@x.org'), message, hooks, never);
    expect(second).toMatchObject({ phase: 'body_sent', reply: { code: 250 } });
    expect(server.connectionCount).toBe(1);
  });

  it('of a server that drips its replies is given up in time', async () => {
    const server = await start({
      script: async ({ verb }) => {
        if (verb === 'RCPT') await wait(5000);
        return undefined;
      },
    });
    const session = await open(server, { timeouts: smtpTimeouts(100) });
    expect(await session.send(envelope('b@x.org'), message, hooks, never)).toMatchObject({
      phase: 'envelope',
      failure: { code: 'timeout' },
    });
  });
});

describe('a login', () => {
  const authLines = ({ commands }: FakeSmtpServer): string[] =>
    commands.filter((line) => / AUTH/.test(line)).map((line) => line.replace(/^\d+ /, ''));
  it('with a token goes out as XOAUTH2, and asks for the reason when it is refused', async () => {
    const token: Credentials = { kind: 'token', user: 'anna@x.org', accessToken: 'canary-token' };
    const server = await start();
    await open(server, { credentials: token });
    expect(authLines(server)).toEqual([
      `AUTH XOAUTH2 ${Buffer.from('user=anna@x.org\u0001auth=Bearer canary-token\u0001\u0001').toString('base64')}`,
    ]);
    server.script = ({ verb }) =>
      verb === 'AUTH'
        ? { reply: '334 eyJzdGF0dXMiOiI0MDEifQ==' }
        : verb === 'OTHER'
          ? { reply: '535 5.7.3 no' }
          : undefined;
    const failure = await open(server, { credentials: token }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'auth_failed', detail: expect.stringContaining('535 5.7.3 no') as unknown });
    expect(JSON.stringify(failure)).not.toContain('canary');
  });
  it('for somebody else’s mailbox names both, by PLAIN or not at all', async () => {
    const credentials: Credentials = { ...password, authzid: 'shared' };
    const server = await start();
    await open(server, { credentials });
    expect(authLines(server)).toEqual([
      `AUTH PLAIN ${Buffer.from('shared\0anna\0canary-password').toString('base64')}`,
    ]);
    const login = await start({ extensions: ['AUTH LOGIN'] });
    await expect(open(login, { credentials })).rejects.toMatchObject({ code: 'auth_unsupported' });
  });
  it('uses what the server offers, and none where it offers nothing', async () => {
    const login = await start({ extensions: ['AUTH LOGIN'] });
    await open(login);
    expect(authLines(login)).toEqual(['AUTH LOGIN']);
    const none = await start({ extensions: [] });
    await open(none);
    expect(authLines(none)).toEqual([]);
  });
  it('is left out where a server has no AUTH: neither an old one that knows HELO alone nor one that is only called so', async () => {
    const old = await start({ script: ({ verb }) => (verb === 'EHLO' ? { reply: '502 5.5.2 what' } : undefined) });
    const named = await start({
      script: ({ verb }) => (verb === 'EHLO' ? { reply: '250-smtp-auth.example.com\r\n250 8BITMIME' } : undefined),
    });
    for (const server of [old, named]) {
      await open(server);
      expect(authLines(server)).toEqual([]);
    }
  });
  it.each(['AUTH', 'AUTH GSSAPI NTLM SCRAM-SHA-256'])(
    'does not show its password to a server that has no way for it (%s)',
    async (line) => {
      const server = await start({ extensions: [line] });
      await expect(open(server)).rejects.toMatchObject({
        code: 'auth_unsupported',
        detail: expect.stringMatching(/offers .*; PLAIN, LOGIN or CRAM-MD5 is needed/) as unknown,
      });
      expect(authLines(server)).toEqual([]);
    },
  );
  it.each([
    ['535 5.7.8 bad', 'auth_failed'],
    ['534 5.7.9 app password', 'auth_failed'],
    ['454 4.7.0 try later', 'auth_unavailable'],
    ['421 4.7.0 too many concurrent logins', 'too_many_connections'],
    ['504 5.5.4 unknown mechanism', 'auth_unsupported'],
  ])('that is answered %s is %s', async (reply, code) => {
    const server = await start({ script: ({ verb }) => (verb === 'AUTH' ? { reply } : undefined) });
    await expect(open(server)).rejects.toMatchObject({ code });
  });
  it.each([400, 440, 460, 470, 480, 490])(
    'shows no part of a password that its answer repeats after %i characters',
    async (length) => {
      const reply = `535 5.7.8 ${'x'.repeat(length)} canary-password`;
      const server = await start({ script: ({ verb }) => (verb === 'AUTH' ? { reply } : undefined) });
      await expect(open(server)).rejects.toMatchObject({ detail: expect.not.stringContaining('can') as unknown });
    },
  );
  it.each([
    ['HTTP/1.1 400 Bad Request', 'not_smtp'],
    ['SSH-2.0-OpenSSH', 'not_smtp'],
    ['554 no service', 'connection_refused'],
    ['421 too many connections', 'too_many_connections'],
  ])('is not tried after the greeting %s: %s', async (reply, code) => {
    const server = await start({ script: ({ verb }) => (verb === 'CONNECT' ? { reply, ending: 'close' } : undefined) });
    await expect(open(server)).rejects.toMatchObject({ code });
    expect(server.commands.filter((line) => line.includes('AUTH'))).toEqual([]);
  });
});

describe('a server that says more than it was asked', () => {
  it.each(['CONNECT', 'EHLO', 'AUTH'])('is given up before what it says fills the memory (at %s)', async (verb) => {
    const reply = '\r\n'.repeat(100_000);
    const server = await start({ script: (step) => (step.verb === verb ? { reply } : undefined) });
    await expect(open(server)).rejects.toMatchObject({
      code: 'not_smtp',
      detail: expect.stringContaining('exceeds maximum allowed size') as unknown,
    });
  });
});

describe('international mail', () => {
  it('is announced where an address or the header needs it', async () => {
    const server = await start();
    const session = await open(server);
    await session.send(envelope('jörg@x.org'), message, hooks, never);
    await session.send({ ...envelope('b@x.org'), needsUtf8: true }, message, hooks, never);
    await session.send(envelope('b@x.org'), message, hooks, never);
    const mails = server.commands.filter((line) => line.includes('MAIL FROM'));
    expect(mails.map((line) => line.includes(' SMTPUTF8'))).toEqual([true, true, false]);
  });
});

describe('a pool', () => {
  it('hands out a kept connection to its own key only, and closes all in the end', async () => {
    const server = await start();
    const pool = createSmtpPool();
    const first = await pool.take('a', () => open(server));
    pool.give('a', first.session);
    expect((await pool.take('b', () => open(server))).session).not.toBe(first.session);
    const again = await pool.take('a', () => open(server));
    expect([again.session === first.session, again.wasIdle]).toEqual([true, true]);
    pool.give('a', again.session);
    await pool.close();
    expect(first.session.isUsable).toBe(false);
    expect(server.commands.some((line) => line.endsWith('QUIT'))).toBe(true);
  });
});

const hasOpenssl = existsSync('/usr/bin/openssl');
if (!hasOpenssl) console.warn('smtp-session: no openssl: the TLS tests are left out');

describe.runIf(hasOpenssl)('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-tls-'));
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  beforeAll(() => {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync(
      '/usr/bin/openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', keyFile, '-out', certFile, ...subject],
      { stdio: 'ignore' },
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const startTls = (security: 'tls' | 'starttls'): Promise<FakeSmtpServer> =>
    start({ security, key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') });

  it.each(['tls', 'starttls'] as const)(
    'with a certificate that nobody vouches for sees no login (%s)',
    async (security) => {
      const server = await startTls(security);
      await expect(open(server, { security })).rejects.toMatchObject({ code: 'tls_untrusted' });
      expect(server.commands.filter((line) => /AUTH|MAIL/.test(line))).toEqual([]);
    },
  );
  it('that was stripped from the greeting ends the connection before a login', async () => {
    const server = await start();
    await expect(open(server, { security: 'starttls' })).rejects.toMatchObject({ code: 'tls_unavailable' });
    expect(server.commands.filter((line) => /AUTH|MAIL/.test(line))).toEqual([]);
  });
  it('expected where there is none is told plainly', async () => {
    await expect(open(await start(), { security: 'tls' })).rejects.toMatchObject({ code: 'not_smtp' });
  });
  it.each(['none', 'starttls'] as const)('from the first byte, where %s was expected, is told', async (security) => {
    const tls = await startTls('tls');
    await expect(open(tls, { security, timeouts: smtpTimeouts(300) })).rejects.toMatchObject({
      code: 'timeout',
      detail: expect.stringMatching(/no greeting came.*smtps:/) as unknown,
    });
  });
  it('of a server that has nothing newer than 1.1 is told as such', async () => {
    const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
    const old = createTlsServer({
      key,
      cert,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    old.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
    const { port } = old.address() as AddressInfo;
    await expect(open({ port } as FakeSmtpServer, { security: 'tls' })).rejects.toMatchObject({
      code: 'tls_disagreed',
    });
    old.close();
  });
  it('is spoken with a server that can be trusted', async () => {
    for (const security of ['tls', 'starttls'] as const) {
      const server = await startTls(security);
      const place = makePlace();
      const { store, close } = await openInProcess(place);
      const smtp = { host: 'localhost', port: server.port, security, user: 'anna' };
      await store.addAccount(newAccount('anna@example.com', { smtp, password: 'pw' }));
      await store.enqueueOutbox({
        acntid: 1,
        state: 'queued',
        columns: { toAddresses: 'bob@example.com', subject: 'Hi', bodyText: 'x' },
        idempotencyKey: null,
        priority: 0,
        sendAfter: null,
      });
      await close();
      const options = { file: place.file, keyFile: place.keyFile, untilIdle: true, sendOnly: true };
      const child = spawnOutbox(options, {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile },
        stdio: 'ignore',
      });
      await new Promise((resolve) => child.once('close', resolve));
      expect(select(place, 'SELECT state, last_error FROM email_outbox')).toEqual([
        { state: 'delivered', last_error: null },
      ]);
      expect(server.commands.some((line) => line.includes('AUTH'))).toBe(true);
      place.remove();
    }
  });
});
