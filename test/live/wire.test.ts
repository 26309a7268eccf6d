/** The bulk reader behind TLS and DEFLATE, over a slow link: the same bytes in other pieces. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Link, openLink } from '../../bench/link.ts';
import { type Authority, createAuthority, hasOpenssl } from '../support/certificates.ts';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { hostileMails } from '../support/hostile-mail.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';
import { createMailGenerator } from '../support/mail-generator.ts';
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
    const generator = createMailGenerator(3);
    await client.append(
      'INBOX',
      Array.from({ length: 150 }, () => generator.next('mixed')),
    );
    const small = hostileMails().filter(({ raw }) => raw.length < 300_000);
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
