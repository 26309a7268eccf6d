/** The watchdog on real threads: a pass that runs too long is cut, a thread that is given up is replaced, the others go on. */
import { afterEach, describe, expect, it } from 'vitest';
import type { WatchdogLimits } from '../../src/engine/threads/watchdog.ts';
import { logText } from '../support/engine-process.ts';
import { cleanUp, type Stage, stageEngine, startWatchdog } from '../support/engine-stage.ts';
import { folder } from '../support/fake-mailbox.ts';

afterEach(cleanUp);

const usual: WatchdogLimits = {
  runMsMax: { pass: 60_000, read: 60_000, send: 60_000, file: 60_000 },
  cancelMsMax: 60_000,
  stallMs: 60_000,
  standstillMs: 60_000,
};

/** The server answers nothing to this user's listing. */
function silentFor(on: Stage, user: string): void {
  let silent = 0;
  on.server.script = ({ verb, args, connection }) => {
    if (verb === 'LOGIN' && args.includes(`"${user}"`)) silent = connection;
    return verb === 'LIST' && connection === silent ? { parts: [] } : undefined;
  };
}

describe('the watchdog', () => {
  it('cuts a pass that runs too long, and leaves the others alone', async () => {
    const on = await stageEngine(3, { EMAIL_NETWORK_TIMEOUT: 600 }, [folder('INBOX', 20)]);
    silentFor(on, 'user2');
    const stuck: string[] = [];
    const limits = { ...usual, runMsMax: { pass: 2500, read: 60_000, send: 60_000, file: 60_000 } };
    const { threads, log } = on.engine;
    const watchdog = startWatchdog({ threads, limits, log, onStuck: (name) => stuck.push(name) });
    on.onCleanUp(() => watchdog.stop());
    const reports = await on.pass();
    const errors = new Map(reports.map(({ acntid, error }) => [acntid, error?.code ?? null]));
    expect([errors.get(1), errors.get(2), errors.get(3)]).toEqual([null, 'aborted', null]);
    expect(logText(on.installation, 'threading-error')).toMatch(
      /a pass task has run for \d+ s: its connections are cut/,
    );
    expect(stuck).toEqual([]);
    expect([...on.engine.threads.workers.keys()]).toEqual(['t1']);
  });

  it('replaces a thread that it gives up, and its passes are done by the next one', async () => {
    const on = await stageEngine(2, {}, [folder('INBOX', 20)]);
    let isFirst = true;
    let asked: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      asked = resolve;
    });
    on.server.script = ({ verb }) => {
      if (verb !== 'LIST' || !isFirst) return undefined;
      asked();
      return { parts: [] };
    };
    const passes = on.pass();
    await held;
    isFirst = false;
    // Its beat is as old as the limit at once.
    const watchdog = startWatchdog({
      threads: on.engine.threads,
      limits: { ...usual, standstillMs: 0 },
      log: on.engine.log,
      onStuck: () => undefined,
    });
    await on.threadEnds('t1');
    watchdog.stop();
    expect((await passes).map(({ error }) => error?.code ?? null)).toEqual([null, null]);
    expect(logText(on.installation, 'threading-error')).toContain('t1 is replaced: its event loop has stood still');
  });
});
