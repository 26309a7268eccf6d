/** The bulk reader behind TLS and DEFLATE, over a slow link: the same bytes in other pieces. */
import { hash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLink, type Link as ImapLink } from '../../src/imap/link.ts';
import { openSession } from '../../src/imap/open-session.ts';
import { windowCountFirst } from '../../src/sync/window.ts';
import { type Authority, createAuthority, hasOpenssl } from '../support/certificates.ts';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { hostileMails } from '../support/hostile-mail.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';
import { type Link, openLink } from '../support/link.ts';
import { createMailGenerator } from '../support/mail-generator.ts';
import { sessionOptions } from '../support/one-session.ts';
import { differences, mailRows, rowChanges } from '../support/oracle.ts';

describe.runIf(hasDovecot() && hasOpenssl())('a mailbox behind TLS and DEFLATE', () => {
  let authority: Authority;
  let dovecot: Dovecot;
  let link: Link;
  let installation: Installation;
  const run = (...args: string[]): Promise<Outcome> =>
    installation.runWith({ NODE_EXTRA_CA_CERTS: authority.file }, ...args);

  beforeAll(async () => {
    authority = createAuthority();
    dovecot = await startDovecot({ compress: true, tls: authority.issue('localhost', 10) });
    link = await openLink('30 ms', dovecot.tlsPort);
    installation = createInstallation();
    const url = `imaps://anna@localhost:${link.port}`;
    const add = ['account', 'add', '--email', 'anna@example.com', '--imap', url, '--password-env', 'TEST_PASSWORD'];
    expect(await run(...add)).toMatchObject({ code: 0 });
    const client = await dovecot.client('anna');
    const small = hostileMails().filter(({ raw }) => raw.length < 1_200_000);
    await client.append(
      'INBOX',
      small.map(({ raw }) => ({ raw })),
    );
    // What DEFLATE makes larger, and what it makes a thousandth.
    const bytes = randomBytes(700_000).toString('base64');
    await client.append('INBOX', [
      { raw: Buffer.from(`Subject: noise\r\n\r\n${bytes.replace(/.{76}/g, '$&\r\n')}`) },
      { raw: Buffer.from(`Subject: silence\r\n\r\n${`${'a'.repeat(76)}\r\n`.repeat(40_000)}`) },
    ]);
    // The first window, newest first: what shows that plain text comes more slowly than a server deflates.
    const generator = createMailGenerator(3);
    await client.append(
      'INBOX',
      Array.from({ length: windowCountFirst }, () => generator.next('mixed')),
    );
    await client.close();
  });
  afterAll(async () => {
    link?.close();
    await dovecot?.stop();
    installation?.remove();
    authority?.remove();
  });

  it('is copied byte for byte, also when passes are killed in between', async () => {
    for (const afterMs of [900, 1400]) {
      const { child, ended } = installation.startWith({ NODE_EXTRA_CA_CERTS: authority.file }, 'sync', '1');
      await new Promise((resolve) => {
        setTimeout(resolve, afterMs);
      });
      child.kill('SIGKILL');
      await ended;
    }
    expect(await run('sync', '1')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(differences(installation, 1, await dovecot.listing('anna'))).toEqual([]);
    const before = mailRows(installation);
    expect(await run('sync', '1', '--full')).toMatchObject({ code: 0, stderr: '' });
    expect(rowChanges(before, mailRows(installation))).toEqual([]);
  });

  it('is proved by verify --deep', async () => {
    expect(await run('verify', '1', '--deep')).toMatchObject({ code: 0 });
  });
});

describe.runIf(hasDovecot())('DEFLATE', () => {
  it('is turned on between two commands, and all that comes after is the same', async () => {
    const dovecot = await startDovecot({ compress: true });
    const link = await openLink('30 ms', dovecot.port);
    try {
      const client = await dovecot.client('anna');
      const raws = hostileMails().flatMap(({ raw }) => (raw.length < 1_200_000 ? [raw] : []));
      await client.append(
        'INBOX',
        raws.map((raw) => ({ raw })),
      );
      await client.close();
      // As if another connection were trying plain text: so this one deflates at once.
      const known: ImapLink = { ...createLink(), isTryingPlain: true };
      const session = await openSession({
        ...sessionOptions(link.port),
        credentials: { kind: 'password', user: 'anna', password: dovecot.password },
        link: known,
        transferTimeoutMsPerMib: 1000,
        onWarning: (text) => expect.unreachable(text),
      });
      const [inbox] = await dovecot.listing('anna');
      const there = new Map(inbox?.messages.map((message) => [message.uid, message.sha256]));
      for (const kind of ['at first', 'again']) {
        await session.openFolder('INBOX');
        const got = new Map<number, string>();
        await session.fetchBodies(await session.listUids({ first: 1 }), ({ uid, raw }) => {
          got.set(uid, hash('sha256', raw, 'hex'));
        });
        expect(got, kind).toEqual(there);
        expect((await session.listFolders({ withStatus: true })).folders).toHaveLength(1);
      }
      await session.close();
      const bytes = raws.reduce((sum, raw) => sum + raw.length, 0);
      expect(known.deflated.bytes).toBeGreaterThan(2 * bytes);
      expect(known.plain.bytes).toBe(0);
    } finally {
      link.close();
      await dovecot.stop();
    }
  });
});

describe.runIf(hasDovecot())('a server that grants fewer connections than are wanted', () => {
  it('is copied all the same, and no login is called wrong', async () => {
    const dovecot = await startDovecot({ connectionsPerUser: 1 });
    const installation = createInstallation({ BG_MAX_CONNECTIONS_PER_ACCOUNT: 6 });
    try {
      const client = await dovecot.client('anna');
      for (const name of ['A', 'B', 'C', 'D', 'E', 'F']) {
        await client.command(`CREATE ${name}`);
        await client.append(name, [{ raw: Buffer.from(`Subject: ${name}\r\n\r\nx`) }]);
      }
      await client.close();
      const acntid = await installation.addAccount(dovecot.port, 'anna');
      expect(await installation.run('sync', String(acntid))).toMatchObject({ code: 0, stderr: '' });
      expect(differences(installation, acntid, await dovecot.listing('anna'))).toEqual([]);
      expect(installation.query('SELECT state FROM email_accounts')).toEqual([{ state: 'ok' }]);
    } finally {
      await dovecot.stop();
      installation.remove();
    }
  });
});
