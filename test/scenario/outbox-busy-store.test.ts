/** Applications that hold a write transaction for longer than the engine's writes wait for one. */
import { describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { until } from '../support/engine-process.ts';
import { type OutboxScenario, startOutboxScenario } from './outbox-frame.ts';

/** Nobody else can write until it is called back. */
function holdStore({ place }: OutboxScenario): () => void {
  const database = openSqlite(place.file, { timeout: 5000 });
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('ROLLBACK');
    database.close();
  };
}

const waits = ({ outbox }: OutboxScenario): Promise<void> =>
  until(() => outbox.lines.some((line) => line.includes('waits for the store: store_busy')));

const all = ({ query }: OutboxScenario) =>
  query<{ state: string; tries: number; error: string | null }>(
    'SELECT DISTINCT state, attempt_count AS tries, last_error AS error FROM email_outbox',
  );

describe('a store whose trigger refuses the verdict of one mail', () => {
  it('makes that one unknown, and no other whose verdict was written with it', async () => {
    const scenario = await startOutboxScenario({ connections: 3, sentCopy: 'off' });
    const { smtp, outbox, mail, execute, entry } = scenario;
    const ids = ['good', 'bad', 'fine'].map((subject) => mail(`${subject}@example.com`, { subject }));
    execute(`CREATE TRIGGER crm BEFORE UPDATE ON email_outbox WHEN new.subject = 'bad' AND new.state = 'delivered'
      BEGIN SELECT RAISE(ABORT, 'crm'); END`);
    let answerAll = (): void => undefined;
    const allCame = new Promise<void>((resolve) => {
      answerAll = resolve;
    });
    let dots = 0;
    smtp.script = async ({ verb }) => {
      dots += verb === 'DOT' ? 1 : 0;
      if (dots === 3) answerAll();
      if (verb === 'DOT') await allCame;
      return undefined;
    };
    await expect(outbox.sendOnce()).rejects.toMatchObject({ code: 'store_refused' });
    await outbox.sendOnce();
    expect(ids.map((id) => entry(id).state)).toEqual(['delivered', 'unknown', 'delivered']);
    expect(smtp.sink).toHaveLength(3);
  });
});

describe('a store that an application keeps locked', () => {
  it('costs no verdict: those that were received are written when it is free, and other mail counts no attempt', async () => {
    const scenario = await startOutboxScenario({ connections: 3, sentCopy: 'off' });
    const { smtp, outbox, mail } = scenario;
    for (let count = 0; count < 40; count += 1) mail(`u${count}@example.com`);
    let dots = 0;
    let letGo = (): void => undefined;
    smtp.script = ({ verb }) => {
      dots += verb === 'DOT' ? 1 : 0;
      if (verb === 'DOT' && dots === 8) letGo = holdStore(scenario);
      return undefined;
    };
    const sending = outbox.sendOnce();
    await waits(scenario);
    expect(smtp.sink.length).toBeGreaterThanOrEqual(8);
    expect(smtp.sink.length).toBeLessThan(40);
    letGo();
    await sending;
    await outbox.drain();
    expect(all(scenario)).toEqual([{ state: 'delivered', tries: 1, error: null }]);
    expect(new Set(smtp.sink.map(({ recipient }) => recipient)).size).toBe(40);
    expect(smtp.sink).toHaveLength(40);
  });

  it('keeps mail waiting that could not be begun, and counts no attempt for it', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'off' });
    scenario.mail('bob@example.com');
    const letGo = holdStore(scenario);
    const sending = scenario.outbox.sendOnce();
    await waits(scenario);
    expect(scenario.smtp.connectionCount).toBe(0);
    letGo();
    await sending;
    expect(all(scenario)).toEqual([{ state: 'delivered', tries: 1, error: null }]);
    expect(scenario.smtp.sink).toHaveLength(1);
  });
});
