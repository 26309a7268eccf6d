/**
 * What every IMAP server must get: its mail copied exactly, followed exactly through changes of every kind, also when the passes
 * are killed, and nothing written when nothing changed. Each server's test file runs all of it, over a link of 30 ms: there two
 * commands may be under way at once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pipelines } from '../../src/imap/link.ts';
import { openSession } from '../../src/imap/open-session.ts';
import { hostileMails } from '../support/hostile-mail.ts';
import { type ImapClient, quote } from '../support/imap-client.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import type { InteropServer } from '../support/interop-server.ts';
import { type Link, openLink } from '../support/link.ts';
import { createMailGenerator, createRandom } from '../support/mail-generator.ts';
import { sessionOptions } from '../support/one-session.ts';
import { differences, mailRows, rowChanges } from '../support/oracle.ts';

export interface SuiteOptions {
  readonly name: string;
  readonly start: () => Promise<InteropServer>;
  /** How many of the folder names and hostile mails the server must take, lest a suite that can't fill it passes. */
  readonly folderCount: number;
  readonly hostileCount: number;
  /** A server that takes minutes over larger ones is not what is tested. */
  readonly hostileBytesMax?: number;
  readonly killCount?: number;
}

const anyFolders = [
  'Work/Za&AXwA8wFC-ty/2026/deep/deeper',
  'with space',
  'we"ird %x',
  "quote's",
  '&U,BTFw-',
  'Inbox2',
  '-dash',
  'a&-b',
  '[brackets] (and) {braces}',
];

const generator = createMailGenerator(7);
const mails = (count: number) => Array.from({ length: count }, () => generator.next('small'));

/** Servers refuse what they can't keep: such is no fault. */
async function countTaken<T>(things: readonly T[], give: (thing: T) => Promise<void>): Promise<number> {
  let count = 0;
  for (const thing of things) {
    try {
      await give(thing);
      count += 1;
    } catch (error) {
      if (!/: \w+ (NO|BAD)/.test(String(error))) throw error;
    }
  }
  return count;
}

export function interopSuite(options: SuiteOptions): void {
  describe(options.name, () => {
    let server: InteropServer;
    let link: Link;
    let installation: Installation;
    let acntid: number;
    let client: ImapClient;
    const at = (path: string): string =>
      path === 'INBOX' ? path : server.prefix + path.replaceAll('/', server.delimiter);
    const sync = async (...args: string[]): Promise<void> => {
      expect(await installation.run('sync', String(acntid), ...args)).toMatchObject({
        code: 0,
        stdout: '',
        stderr: '',
      });
    };
    const judge = async (): Promise<string[]> => differences(installation, acntid, await server.listing('anna'));
    const expectIdle = async (): Promise<void> => {
      const before = mailRows(installation);
      await sync();
      await sync('--full');
      expect(rowChanges(before, mailRows(installation))).toEqual([]);
    };
    const idsOf = (path: string): unknown[] =>
      installation.query(
        `SELECT m.id FROM email_messages m JOIN email_folders f USING (emfdid)
          WHERE f.path LIKE ? AND f.retired_at IS NULL AND m.vanished_at IS NULL ORDER BY 1`,
        `%${path}`,
      );

    beforeAll(async () => {
      server = await options.start();
      installation = createInstallation();
      client = await server.client('anna');
      link = await openLink('30 ms', server.port);
      acntid = await installation.addAccount(link.port, 'anna');
    });
    afterAll(async () => {
      await client?.close();
      link?.close();
      await server?.stop();
      installation?.remove();
    });

    it('is copied with hostile mail and folder names of every kind', async () => {
      await client.append('INBOX', mails(40));
      const made = await countTaken(anyFolders, async (path) => {
        await client.command(`CREATE ${quote(at(path))}`);
        await client.append(at(path), mails(2));
      });
      expect(made).toBe(options.folderCount);
      await client.command(`CREATE ${quote(at('Hostile'))}`);
      const sent = hostileMails().filter(
        ({ raw }) => raw.length <= (options.hostileBytesMax ?? Number.POSITIVE_INFINITY),
      );
      const taken = await countTaken(sent, ({ raw }) => client.append(at('Hostile'), [{ raw }]));
      expect(taken).toBe(options.hostileCount);
      await sync();
      expect(await judge()).toEqual([]);
      expect(installation.query('SELECT uid, error FROM email_quarantine')).toEqual([]);
    });

    it('answers two commands at once', async () => {
      const here = {
        ...sessionOptions(link.port),
        credentials: { kind: 'password', user: 'anna', password: 'pw' },
      } as const;
      const session = await openSession(here);
      await session.openFolder('INBOX', { listFrom: 1 });
      expect(await session.listUids({ first: 1 })).toEqual(await session.searchUids({ first: 1 }));
      expect(pipelines(here.link)).toBe(true);
      await session.close();
    });

    it('is not written again when nothing changed', expectIdle);

    it('is followed through new mail, flags, keywords, deletions and moves', async () => {
      await client.append('INBOX', mails(5));
      await client.command('SELECT INBOX');
      const uids = (await server.listing('anna'))
        .find(({ path }) => path === 'INBOX')
        ?.messages.map(({ uid }) => uid) ?? [0];
      await client.command(`UID STORE ${uids[0]}:${uids[9]} +FLAGS (\\Seen \\Flagged)`);
      await client.command(`UID STORE ${uids[3]}:${uids[4]} -FLAGS (\\Seen)`);
      if (server.hasKeywords) await client.command(`UID STORE ${uids[2]}:${uids[5]} +FLAGS ($Work custom)`);
      await client.command(`UID COPY ${uids[12]}:${uids[14]} ${quote(at('with space'))}`);
      await client.command(`UID STORE ${uids[12]}:${uids[16]} +FLAGS (\\Deleted)`);
      await client.command('EXPUNGE');
      await client.command('CLOSE');
      await sync();
      const missed = (await judge()).filter((line) => !line.startsWith('wrong flags'));
      expect(missed).toEqual([]);
      await sync('--full');
      expect(await judge()).toEqual([]);
      await expectIdle();
    });

    it('is followed when as many messages came as went', async () => {
      await client.append('INBOX', mails(3));
      await client.command('SELECT INBOX');
      const uids = (await server.listing('anna'))
        .find(({ path }) => path === 'INBOX')
        ?.messages.map(({ uid }) => uid) ?? [0];
      await client.command(`UID STORE ${uids.slice(1, 4).join(',')} +FLAGS (\\Deleted)`);
      await client.command('EXPUNGE');
      await client.command('CLOSE');
      await sync();
      expect(await judge()).toEqual([]);
      await expectIdle();
    });

    it('keeps its ids in a renamed folder, and tombstones of a deleted one', async () => {
      const before = idsOf('with space');
      await client.command(`RENAME ${quote(at('with space'))} ${quote(at('renamed'))}`);
      await client.command(`DELETE ${quote(at('Inbox2'))}`);
      await sync();
      await sync();
      expect(await judge()).toEqual([]);
      if (server.keepsUidValidityOnRename) expect(idsOf('renamed')).toEqual(before);
      expect(idsOf('Inbox2')).toEqual([]);
      await expectIdle();
    });

    it('keeps its ids through a changed UIDVALIDITY', async () => {
      if (server.changeUidValidity === null) return;
      const before = idsOf('INBOX');
      await server.changeUidValidity('anna', 'INBOX');
      await sync();
      expect(await judge()).toEqual([]);
      expect(idsOf('INBOX')).toEqual(before);
      await expectIdle();
    });

    it('ends the same when passes are killed at random while it changes', async () => {
      const random = createRandom(11);
      for (let round = 0; round < (options.killCount ?? 6); round += 1) {
        await client.append('INBOX', mails(4));
        await client.append(at('renamed'), mails(2));
        const { child, ended } = installation.start('sync', String(acntid), ...(round % 2 === 0 ? ['--full'] : []));
        await new Promise((resolve) => {
          setTimeout(resolve, 150 + random() * 700);
        });
        child.kill('SIGKILL');
        await client.command(`SELECT ${quote(at('renamed'))}`);
        await client.command('STORE 1:2 +FLAGS (\\Flagged)');
        await client.command('STORE 1 +FLAGS (\\Deleted)');
        await client.command('EXPUNGE');
        await client.command('CLOSE');
        await ended;
      }
      await sync('--full');
      expect(await judge()).toEqual([]);
      await expectIdle();
    });

    it('is proved by verify --deep', async () => {
      const outcome = await installation.run('verify', String(acntid), '--deep', '--json');
      expect(JSON.parse(outcome.stdout)).toMatchObject({ ok: true });
    });
  });
}
