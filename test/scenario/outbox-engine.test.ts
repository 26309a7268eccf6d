/** What applications write into the outbox of a running engine, wrong and right. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { type EngineProcess, logText, startEngine, until } from '../support/engine-process.ts';
import { type FakeSmtpServer, startFakeSmtp } from '../support/fake-smtp-server.ts';
import { createInstallation, type Installation } from '../support/installation.ts';

/** README promises a second; the machine that tests is busy with others. */
const soonMs = 5000;

describe('a running engine', () => {
  let installation: Installation;
  let smtp: FakeSmtpServer;
  let engine: EngineProcess;
  const acntids: number[] = [];
  let putOff: number;
  beforeAll(async () => {
    smtp = await startFakeSmtp({});
    installation = createInstallation({ EMAIL_BACKGROUND_SYNC_ENABLED: false, BACKPROC_WEB_LISTEN: null });
    for (const user of ['anna', 'bob']) {
      const acntid = await installation.addAccount(1, user);
      await installation.run('account', 'set', String(acntid), '--smtp', `smtp://${user}@127.0.0.1:${smtp.port}`);
      acntids.push(acntid);
    }
    execute("UPDATE email_accounts SET sent_copy = 'off'");
    putOff = insert(acntids[1], 'carl@example.com');
    execute(
      `UPDATE email_outbox SET state = 'deferred', next_attempt_at = '2099-01-01T00:00:00.000Z' WHERE id = ${putOff}`,
    );
    engine = await startEngine(installation);
  });
  afterAll(async () => {
    await engine?.stop();
    await smtp?.stop();
    installation?.remove();
  });

  const execute = (sql: string): number => {
    const database = openSqlite(installation.storeFile, { timeout: 10_000 });
    try {
      return Number(database.prepare(sql).run().lastInsertRowid);
    } finally {
      database.close();
    }
  };
  const insert = (acntid: number | undefined, to: string, sendAfter: string | null = null): number =>
    execute(`INSERT INTO email_outbox (acntid, to_addresses, subject, body_text, send_after)
      VALUES (${acntid}, '${to}', 'S', 'T', ${sendAfter === null ? 'NULL' : `'${sendAfter}'`})`);
  const becomes = (id: number, state: string): Promise<void> =>
    until(() => installation.query('SELECT state FROM email_outbox WHERE id = ?', id).at(0)?.state === state, soonMs);

  it('rejects one bad entry after the other at once, and the good one after them waits for none', async () => {
    for (let count = 0; count < 7; count += 1) await becomes(insert(acntids[0], 'nonsense'), 'rejected');
    await becomes(insert(acntids[0], 'carl@example.com'), 'delivered');
  });

  it('sends what a clock that was wrong once put off for years', () => becomes(putOff, 'delivered'));

  it('is not stopped by times that are none, in no account', async () => {
    const bad = ['2026-00-00T00:00:00.000Z', '2099-11-26T23:59:60.000Z'].map((at) =>
      insert(acntids[0], 'carl@example.com', at),
    );
    execute("INSERT INTO email_presence (user_id, last_seen_at) VALUES ('u', '9999-99-99T99:99:99.999Z')");
    for (const id of bad) await becomes(id, 'rejected');
    await becomes(insert(acntids[1], 'carl@example.com'), 'delivered');
    expect(logText(installation)).not.toMatch(/NOT NULL|could not be read/);
  });
});
