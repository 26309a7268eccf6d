/** The loads of docs/performance.md, put on a Dovecot of the bench's own, and the change that one per cent of them sees. */
import { type Dovecot, startDovecot } from '../test/support/dovecot.ts';
import { type ImapClient, quote } from '../test/support/imap-client.ts';
import { createMailGenerator } from '../test/support/mail-generator.ts';

export type ScenarioName = 'S1' | 'S2' | 'S3';

export interface Scenario {
  readonly name: ScenarioName;
  readonly text: string;
  readonly users: number;
  readonly folders: readonly string[];
  readonly messagesPerFolder: number;
  readonly size: 'small' | 'mixed';
}

const fiveFolders = ['INBOX', 'Sent', 'Projects', 'Projects/2026', 'Archive'];

export function scenarios(isQuick: boolean): Scenario[] {
  const few = (count: number): number => (isQuick ? Math.ceil(count / 10) : count);
  return [
    {
      name: 'S1',
      text: 'one folder of 20,000 small mails',
      users: 1,
      folders: ['INBOX'],
      messagesPerFolder: few(20_000),
      size: 'small',
    },
    {
      name: 'S2',
      text: 'one folder of 5,000 mails of mixed size',
      users: 1,
      folders: ['INBOX'],
      messagesPerFolder: few(5000),
      size: 'mixed',
    },
    {
      name: 'S3',
      text: '20 accounts × 5 folders × 100 small mails',
      users: 20,
      folders: fiveFolders,
      messagesPerFolder: few(100),
      size: 'small',
    },
  ];
}

export interface Load {
  readonly scenario: Scenario;
  readonly dovecot: Dovecot;
  readonly users: readonly string[];
  /** Half of one per cent is new; a quarter is flagged; a quarter is deleted. */
  change(): Promise<void>;
}

/** Ends with every index of the server written, so that the first peer does not pay for it. */
export async function startLoad(scenario: Scenario): Promise<Load> {
  const dovecot = await startDovecot({ compress: true });
  const generator = createMailGenerator(scenario.name.charCodeAt(1));
  const users = Array.from({ length: scenario.users }, (_, index) => `user${index + 1}`);
  for (const user of users) {
    const client = await dovecot.client(user);
    for (const path of scenario.folders) {
      if (path !== 'INBOX') await client.command(`CREATE ${quote(path)}`);
      for (let done = 0; done < scenario.messagesPerFolder; done += 500) {
        const count = Math.min(500, scenario.messagesPerFolder - done);
        await client.append(
          path,
          Array.from({ length: count }, () => generator.next(scenario.size)),
        );
      }
      await client.command(`EXAMINE ${quote(path)}`);
      await client.command('UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])');
    }
    await client.close();
  }
  const change = async (): Promise<void> => {
    for (const user of users) {
      const client = await dovecot.client(user);
      for (const path of scenario.folders) {
        const count = Math.max(1, Math.round(scenario.messagesPerFolder / 400));
        await changeFolder(
          client,
          path,
          count,
          Array.from({ length: 2 * count }, () => generator.next(scenario.size)),
        );
      }
      await client.close();
    }
  };
  return { scenario, dovecot, users, change };
}

async function changeFolder(
  client: ImapClient,
  path: string,
  count: number,
  arrived: readonly { raw: Buffer }[],
): Promise<void> {
  await client.command(`SELECT ${quote(path)}`);
  await client.command(`STORE 1:${count} +FLAGS.SILENT (\\Deleted)`);
  await client.command('EXPUNGE');
  await client.command(`STORE 1:${count} FLAGS (\\Flagged)`);
  await client.append(path, arrived);
}
