/** The frame of every outbox scenario: fake SMTP and IMAP servers, a store of its own, one account, and the outbox at work. */
import type Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import type { NewAccount } from '../../src/store/store.ts';
import { makePlace, newAccount, type StorePlace, select } from '../contract/store-fixture.ts';
import { type FakeImapServer, startFakeImap } from '../support/fake-imap-server.ts';
import { type FakeFolder, folder } from '../support/fake-mailbox.ts';
import { type FakeSmtpOptions, type FakeSmtpServer, startFakeSmtp } from '../support/fake-smtp-server.ts';
import { type Outbox, type OutboxOptions, startOutbox } from '../support/outbox-process.ts';

export interface EntryRow {
  readonly id: number;
  readonly state: string;
  readonly last_error: string | null;
  readonly last_code: number | null;
  readonly attempt_count: number;
  readonly next_attempt_at: string | null;
  readonly message_id_header: string | null;
  readonly x_backproc_id: string | null;
  readonly sent_at: string | null;
  readonly filed_at: string | null;
  readonly resolved: string | null;
  readonly delayed_at: string | null;
  readonly file_error: string | null;
}
/** Without what the mail says: some have megabytes of it. */
const entryColumns = `id, state, last_error, last_code, attempt_count, next_attempt_at, message_id_header, x_backproc_id, sent_at, filed_at,
  resolved, delayed_at, file_error`;

export interface OutboxScenario {
  readonly place: StorePlace;
  readonly smtp: FakeSmtpServer;
  readonly imap: FakeImapServer;
  readonly outbox: Outbox;
  readonly acntid: number;
  readonly sent: FakeFolder;
  readonly inbox: FakeFolder;
  /** As an application would: columns by name. */
  readonly insert: (columns: Readonly<Record<string, unknown>>) => number;
  /** A small mail to these. */
  readonly mail: (to: string, more?: Readonly<Record<string, unknown>>) => number;
  readonly execute: (sql: string, ...values: unknown[]) => void;
  readonly query: <Row>(sql: string) => Row[];
  readonly entry: (id: number) => EntryRow;
  /** As it was composed. */
  readonly composed: (id: number) => Buffer;
  readonly recipients: (id: number) => Record<string, string | null>;
  readonly attempts: (id: number) => AttemptRow[];
  readonly account: () => AccountRow;
}

interface AttemptRow {
  readonly phase: string;
  readonly verdict: string | null;
  readonly code: number | null;
  readonly response: string | null;
}

interface AccountRow {
  readonly smtp_state: string;
  readonly smtp_retry_at: string | null;
  readonly smtp_last_error: string | null;
  readonly state: string;
}

export interface OutboxScenarioOptions extends FakeSmtpOptions, Pick<OutboxOptions, 'settings' | 'connections'> {
  readonly account?: Partial<NewAccount>;
  readonly sentCopy?: string;
  readonly folders?: readonly FakeFolder[];
}

export async function startOutboxScenario(options: OutboxScenarioOptions = {}): Promise<OutboxScenario> {
  const place = makePlace();
  const smtp = await startFakeSmtp(options);
  const sent = folder('Sent', 0, { attributes: ['\\Sent'] });
  const inbox = folder('INBOX', 0);
  const imap = await startFakeImap({ folders: [inbox, sent, ...(options.folders ?? [])] });
  const { settings, connections } = options;
  const outbox = await startOutbox({
    ...place,
    settings: { networkTimeoutMs: 2000, ...settings },
    ...(connections === undefined ? {} : { connections }),
  });
  onTestFinished(async () => {
    await outbox.stop();
    await smtp.stop();
    await imap.stop();
    place.remove();
  });
  const at = (port: number) => ({ host: '127.0.0.1', port, security: 'none', user: 'anna' }) as const;
  const account = newAccount('anna@example.com', {
    name: 'Anna Nowak',
    imap: at(imap.port),
    smtp: at(smtp.port),
    password: 'pw',
    ...options.account,
  });
  const acntid = await outbox.ports.store.addAccount(account);
  const execute = (sql: string, ...values: unknown[]): Database.RunResult => {
    const database = openSqlite(place.file, { timeout: 5000 });
    try {
      return database.prepare(sql).run(...values);
    } finally {
      database.close();
    }
  };
  if (options.sentCopy !== undefined) execute('UPDATE email_accounts SET sent_copy = ?', options.sentCopy);
  const insert = (columns: Readonly<Record<string, unknown>>): number => {
    const all = { acntid, ...columns };
    const names = Object.keys(all);
    const sql = `INSERT INTO email_outbox (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
    return Number(execute(sql, ...Object.values(all)).lastInsertRowid);
  };
  const query = <Row>(sql: string): Row[] => select<Row>(place, sql);
  return {
    place,
    smtp,
    imap,
    outbox,
    acntid,
    sent,
    inbox,
    insert,
    mail: (to, more = {}) => insert({ to_addresses: to, subject: 'Hello', body_text: 'A line of text.\n', ...more }),
    execute: (sql, ...values) => void execute(sql, ...values),
    query,
    entry(id) {
      const [row] = query<EntryRow>(`SELECT ${entryColumns} FROM email_outbox WHERE id = ${id}`);
      if (!row) throw new Error(`no entry ${id}`);
      return row;
    },
    composed(id) {
      const [row] = query<{ raw: Buffer | null }>(`SELECT raw FROM email_outbox WHERE id = ${id}`);
      return row?.raw ?? Buffer.alloc(0);
    },
    recipients(id) {
      const rows = query<{ address: string; verdict: string | null }>(
        `SELECT address, verdict FROM email_outbox_recipients WHERE outbox_id = ${id}`,
      );
      return Object.fromEntries(rows.map(({ address, verdict }) => [address, verdict]));
    },
    attempts: (id) =>
      query(`SELECT phase, verdict, code, response FROM email_outbox_attempts WHERE outbox_id = ${id} ORDER BY id`),
    account() {
      const [row] = query<AccountRow>('SELECT smtp_state, smtp_retry_at, smtp_last_error, state FROM email_accounts');
      if (!row) throw new Error('no account');
      return row;
    },
  };
}
