/** Real worker threads of the built code: one that dies is replaced, its tasks are done all the same, nobody else notices. */
import { afterEach, describe, expect, it } from 'vitest';
import type { PassReport } from '../../src/sync/pass.ts';
import { logText } from '../support/engine-process.ts';
import { cleanUp, type Stage, stageEngine } from '../support/engine-stage.ts';
import type { FakeImapServer } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { differences } from '../support/oracle.ts';

afterEach(cleanUp);

const stage = (accounts: number, config: Record<string, unknown> = {}): Promise<Stage> =>
  stageEngine(accounts, config, [folder('INBOX', 50), folder('Other', 20)]);

/** Resolves when the server is asked for bodies; until `release` it answers nothing. */
function holdBodies(server: FakeImapServer): { asked: Promise<void>; release: () => void } {
  let tell: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  server.script = ({ verb, args }) => {
    if (verb !== 'UID FETCH' || !args.includes('BODY.PEEK[]')) return undefined;
    tell();
    return { parts: [] };
  };
  return {
    asked,
    release: () => {
      server.script = undefined;
    },
  };
}

const errorsOf = (reports: readonly PassReport[]): unknown[] => reports.map(({ error }) => error?.code ?? null);
describe('a worker thread that dies in a pass', () => {
  it('is replaced, and its accounts are synced by the next one', async () => {
    const on = await stage(3);
    const { asked, release } = holdBodies(on.server);
    const passes = on.pass();
    await asked;
    release();
    await on.engine.threads.workers.get('t1')?.terminate();
    expect(errorsOf(await passes)).toEqual([null, null, null]);
    for (const { acntid } of on.work) expect(differences(on.installation, acntid, on.server.listing())).toEqual([]);
    expect(logText(on.installation, 'threading-error')).toMatch(/^\[[^\]]+\]\[#\d+\.t0\] t1 ended: /);
  });

  it('again with the same task gives it up, and reports it', async () => {
    const on = await stage(1);
    const passes = on.pass();
    for (let death = 0; death < 2; death += 1) {
      const { asked } = holdBodies(on.server);
      await asked;
      await on.engine.threads.workers.get('t1')?.terminate();
    }
    expect(errorsOf(await passes)).toEqual(['thread_died']);
  });

  it('leaves the accounts of other threads alone', async () => {
    const on = await stage(2, { BG_THREAD_CONCURRENCY: 1 });
    const { asked, release } = holdBodies(on.server);
    const passes = on.pass();
    await asked;
    release();
    expect([...on.engine.threads.workers.keys()]).toEqual(['t1', 't2']);
    await on.engine.threads.workers.get('t2')?.terminate();
    expect(errorsOf(await passes)).toEqual([null, null]);
    for (const { acntid } of on.work) expect(differences(on.installation, acntid, on.server.listing())).toEqual([]);
  });
});

describe('more accounts than the threads have room for', () => {
  it('wait, and are all synced', async () => {
    const on = await stage(7, { BG_MAX_THREADS: 2, BG_THREAD_CONCURRENCY: 2 });
    expect(errorsOf(await on.pass())).toEqual(Array.from({ length: 7 }, () => null));
    expect([...on.engine.threads.workers.keys()]).toEqual(['t1', 't2']);
  });
});
