/** A login never leaves the machine in the clear, whatever the server says (RELIABILITY fault 31). */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
});

interface Wire {
  /** Everything that the client sent, on all connections. */
  readonly sent: () => string;
  readonly outcome: Outcome;
  readonly state: string;
  readonly installation: Installation;
}

/** `localhost` is loopback, so TLS is demanded by changing the account in the store, as for any other host. */
async function loginAt(security: 'starttls' | 'tls', onConnect: (socket: Socket) => void): Promise<Wire> {
  let sent = '';
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      sent += data.toString('latin1');
    });
    onConnect(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const installation = createInstallation({ EMAIL_NETWORK_TIMEOUT: 2 });
  cleanups.push(() => installation.remove());
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const scheme = security === 'tls' ? 'imaps' : 'imap';
  const url = `${scheme}://anna@localhost.localdomain:${port}`;
  const add = ['account', 'add', '--email', 'anna@example.com', '--imap', url, '--password-env', 'TEST_PASSWORD'];
  const acntid = (await installation.commandWith({ TEST_PASSWORD: 'canary-password' }, ...add)).stdout.trim();
  const { openSqlite } = await import('../../src/base/sqlite.ts');
  const database = openSqlite(installation.storeFile);
  database.prepare("UPDATE email_accounts SET imap_host = '127.0.0.1', imap_security = ?").run(security);
  database.close();
  const outcome = await installation.run('sync', acntid);
  const [row] = installation.query<{ state: string }>('SELECT state FROM email_accounts');
  return { sent: () => sent, outcome, state: row?.state ?? '', installation };
}

function expectNoSecret({ sent, outcome, installation }: Wire): void {
  const all = [
    sent(),
    outcome.stdout,
    outcome.stderr,
    JSON.stringify(installation.query('SELECT * FROM email_accounts')),
  ];
  for (const text of all) {
    expect(text).not.toContain('canary-password');
    expect(text).not.toContain(Buffer.from('canary-password').toString('base64').slice(0, 16));
  }
  expect(sent()).not.toMatch(/\b(LOGIN|AUTHENTICATE)\b/i);
}

describe('where TLS is demanded', () => {
  it('a server that hides STARTTLS gets no login', async () => {
    const wire = await loginAt('starttls', (socket) => {
      socket.write('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n');
      socket.on('data', (data) => {
        const [tag] = data.toString().split(' ');
        socket.write(`* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n${tag} OK done\r\n`);
      });
    });
    expectNoSecret(wire);
    expect(wire.outcome.code).toBe(78);
    expect(wire.outcome.stderr).toContain('tls_unavailable');
  });

  it('a server that greets with PREAUTH is not believed', async () => {
    const wire = await loginAt('starttls', (socket) => {
      socket.write('* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n');
      socket.on('data', (data) => {
        const [tag] = data.toString().split(' ');
        socket.write(`${tag} OK done\r\n`);
      });
    });
    expectNoSecret(wire);
    expect(wire.outcome.code).not.toBe(0);
  });

  it('a server that speaks in the clear after STARTTLS gets no login', async () => {
    const wire = await loginAt('starttls', (socket) => {
      socket.write('* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n');
      socket.on('data', (data) => {
        const [tag, verb] = data.toString().split(' ');
        socket.write(
          verb?.startsWith('STARTTLS')
            ? `${tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n`
            : `* CAPABILITY IMAP4rev1 STARTTLS\r\n${tag} OK done\r\n`,
        );
      });
    });
    expectNoSecret(wire);
    expect(wire.outcome.code).not.toBe(0);
  });

  it('a server without TLS on the TLS port gets no login', async () => {
    const wire = await loginAt('tls', (socket) => socket.write('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n'));
    expectNoSecret(wire);
    expect(wire.outcome.stderr).toContain('not_imap');
  });
});
