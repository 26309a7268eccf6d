/** Commands beside an engine that is stopped or hangs: each ends, says so, and `stop` ends it hard. */
import { afterEach, describe, expect, it } from 'vitest';
import { startEngine } from '../support/engine-process.ts';
import { createInstallation } from '../support/installation.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

describe('beside an engine that does not answer', () => {
  it('status, reload, sync and stop end in seconds', async () => {
    const installation = createInstallation({ BACKPROC_STOP_GRACE_SECONDS: 1 });
    cleanups.push(() => installation.remove());
    const acntid = await installation.addAccount(1, 'anna');
    const engine = await startEngine(installation);
    cleanups.push(() => engine.child.kill('SIGKILL'));
    engine.child.kill('SIGSTOP');
    const [status, json, reload, sync] = await Promise.all([
      installation.run('status'),
      installation.run('status', '--json'),
      installation.run('reload'),
      installation.run('sync', String(acntid)),
    ]);
    expect(status).toMatchObject({ code: 1, stdout: expect.stringMatching(/^process \d+ .* does not answer\n$/) });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ running: true, late: true, pid: engine.child.pid });
    for (const { code, stderr } of [reload, sync])
      expect([code, stderr]).toEqual([75, expect.stringContaining('The engine does not answer.')]);
    expect((await installation.run('stop')).code).toBe(0);
    await engine.ended;
    expect(engine.child.signalCode).toBe('SIGKILL');
  });
});
