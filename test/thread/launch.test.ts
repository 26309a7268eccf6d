/** Launches beside a running engine: quiet beside one that beats, patient beside one that does not, and never two at work. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import type { LaunchAnswer } from '../../src/engine/launch/launch.ts';
import { logText, startEngine, until } from '../support/engine-process.ts';
import { createInstallation, type Installation, mainFile } from '../support/installation.ts';

const built = join(import.meta.dirname, '../../build');
const { launch }: typeof import('../../src/engine/launch/launch.ts') = await import(`${built}/engine/launch/launch.js`);
const { giveOrder }: typeof import('../../src/engine/control/give-order.ts') = await import(
  `${built}/engine/control/give-order.js`
);

/** Hooks of the test's own: most of the time is waiting for beats, so tests run beside each other. */
type Test = Pick<TestContext, 'onTestFinished'>;

/** An engine without accounts: whether it works is seen by its beat. */
async function stage(test: Test) {
  const installation = createInstallation();
  test.onTestFinished(() => installation.remove());
  const engine = await startEngine(installation);
  test.onTestFinished(async () => {
    engine.child.kill('SIGKILL');
    await engine.ended;
  });
  return { installation, engine };
}

type Stage = Awaited<ReturnType<typeof stage>>;

const tellToStop = (control: string): Promise<boolean> =>
  giveOrder(control, { order: 'stop' }, { times: { silentMs: 3000 } }).then(
    () => true,
    () => false,
  );

/** Makes it look as if an older version ran. The engine's next beat, every five seconds, puts that right: then once more. */
async function launchAsNewer({ installation, engine }: Stage, test: Test): Promise<number | undefined> {
  const file = `${installation.storeFile}.engine`;
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"version":"[^"]*"/, '"version":"0.0.1"'));
  const next = installation.start('run');
  test.onTestFinished(async () => {
    next.child.kill('SIGKILL');
    await next.ended;
  });
  const left = await Promise.race([next.ended, engine.ended.then(() => null)]);
  if (left === null) return next.child.pid;
  expect(left).toMatchObject({ code: 0, stderr: '' });
  return launchAsNewer({ installation, engine }, test);
}

/** Short times: a beat comes every five seconds, so six without one are long. */
async function launchBeside(
  installation: Installation,
  test: Test,
  version = '0.1.0',
  times = { freshMs: 0, watchMs: 6500 },
  askToStop = tellToStop,
) {
  const said: string[] = [];
  const answer: LaunchAnswer = await launch({
    storeFile: installation.storeFile,
    version,
    askToStop,
    say: (text) => said.push(text),
    times: { ...times, endMs: 3000 },
  });
  if (answer.kind === 'locked') test.onTestFinished(() => answer.lock.release());
  return { answer, said };
}

describe.concurrent('a launch beside an engine', () => {
  it('that beats sees the next beat, and leaves it alone', async (test) => {
    const { installation, engine } = await stage(test);
    const { answer, said } = await launchBeside(installation, test);
    expect(answer).toMatchObject({ kind: 'at-work', record: { pid: engine.child.pid } });
    expect(said).toEqual([]);
  });

  it('that stands still watches it, says so, ends it and takes over', async (test) => {
    const { installation, engine } = await stage(test);
    engine.child.kill('SIGSTOP');
    const { answer, said } = await launchBeside(installation, test);
    expect(answer.kind).toBe('locked');
    expect(said).toEqual([expect.stringContaining(`process ${engine.child.pid} holds the lock and has not beaten`)]);
    await engine.ended;
    expect(engine.child.signalCode).toBe('SIGKILL');
  });

  it('that goes on again while it is watched leaves it alone', async (test) => {
    const { installation, engine } = await stage(test);
    engine.child.kill('SIGSTOP');
    const launching = launchBeside(installation, test, '0.1.0', { freshMs: 0, watchMs: 30_000 });
    engine.child.kill('SIGCONT');
    expect((await launching).answer.kind).toBe('at-work');
    expect(engine.child.exitCode).toBeNull();
  });

  it('of an older version tells it to finish, and takes over', async (test) => {
    const { installation, engine } = await stage(test);
    const { answer, said } = await launchBeside(installation, test, '99.0.0');
    expect(answer.kind).toBe('locked');
    expect(said).toEqual([expect.stringContaining('was asked to finish')]);
    expect(await engine.ended).toBe(0);
  });

  it('of an older version says in the log, too, that it took over', async (test) => {
    const { installation, engine } = await stage(test);
    const pid = await launchAsNewer({ installation, engine }, test);
    expect(await engine.ended).toBe(0);
    const line = `#${pid}.t0] version 0.0.1 (process ${engine.child.pid}) was asked to finish`;
    await until(() => logText(installation).includes(line));
  });

  it('of an older version that stands still watches it, ends it and takes over', async (test) => {
    const { installation, engine } = await stage(test);
    engine.child.kill('SIGSTOP');
    const { answer, said } = await launchBeside(installation, test, '99.0.0');
    expect(answer.kind).toBe('locked');
    expect(said).toEqual([expect.stringContaining(`process ${engine.child.pid} holds the lock and has not beaten`)]);
    await engine.ended;
    expect(engine.child.signalCode).toBe('SIGKILL');
  });

  it('of an older version that stands still since a moment leaves it to a later launch', async (test) => {
    const { installation, engine } = await stage(test);
    engine.child.kill('SIGSTOP');
    const { answer } = await launchBeside(installation, test, '99.0.0', { freshMs: 30_000, watchMs: 6500 });
    expect(answer).toMatchObject({ kind: 'at-work', record: { pid: engine.child.pid } });
    expect(engine.child.signalCode).toBeNull();
  });

  it('of an older version that hangs after it was told to finish ends it, and takes over', async (test) => {
    const { installation, engine } = await stage(test);
    engine.child.kill('SIGSTOP');
    const { answer, said } = await launchBeside(installation, test, '99.0.0', undefined, () => Promise.resolve(true));
    expect(answer.kind).toBe('locked');
    expect(said).toEqual([
      expect.stringContaining('was asked to finish'),
      expect.stringContaining(`process ${engine.child.pid} holds the lock and has not beaten`),
    ]);
    await engine.ended;
  });

  it('of a newer version leaves it alone', async (test) => {
    const { installation } = await stage(test);
    expect((await launchBeside(installation, test, '0.0.1', { freshMs: 30_000, watchMs: 0 })).answer.kind).toBe(
      'at-work',
    );
  });

  it('whose files somebody deleted finds them again after a beat', async (test) => {
    const { installation, engine } = await stage(test);
    const files = [join(installation.folder, 'pid/backproc.pid'), `${installation.storeFile}.engine`];
    for (const file of files) rmSync(file);
    const { answer } = await launchBeside(installation, test);
    expect(answer).toMatchObject({ kind: 'at-work', record: { pid: engine.child.pid } });
    await until(() => files.every(existsSync));
  });

  it.for(['', '{"pid":1}'])('whose files hold %j finds them whole after a beat', async (text, test) => {
    const { installation, engine } = await stage(test);
    const files = [join(installation.folder, 'pid/backproc.pid'), `${installation.storeFile}.engine`];
    for (const file of files) writeFileSync(file, text);
    const { answer } = await launchBeside(installation, test);
    expect(answer).toMatchObject({ kind: 'at-work', record: { pid: engine.child.pid } });
    for (const file of files) await until(() => readFileSync(file, 'utf8').includes(`"pid":${engine.child.pid},`));
  });

  it('whose lock file somebody deleted takes over, and the one that was robbed ends itself', async (test) => {
    const { installation, engine } = await stage(test);
    rmSync(`${installation.storeFile}.lock`);
    expect((await launchBeside(installation, test)).answer.kind).toBe('locked');
    expect(await engine.ended).toBe(75);
  });

  it('whose database somebody put another in the place of ends itself: applications have the other', async (test) => {
    const { installation, engine } = await stage(test);
    copyFileSync(installation.storeFile, `${installation.storeFile}.restored`);
    renameSync(`${installation.storeFile}.restored`, installation.storeFile);
    expect(await engine.ended).toBe(75);
    expect(logText(installation)).toContain('was removed or replaced while it was held: ending');
  });
});

describe.runIf(process.platform === 'linux')('beside a dead engine whose parent never asks how it ended', () => {
  it('status says that none runs, and start starts one', async (test) => {
    const installation = createInstallation();
    test.onTestFinished(() => installation.remove());
    // The shell becomes a program that waits for nobody.
    const parent = spawn('sh', ['-c', '"$0" "$@" & exec sleep 600', process.execPath, mainFile, 'run'], {
      cwd: installation.folder,
      stdio: 'ignore',
    });
    test.onTestFinished(() => void parent.kill('SIGKILL'));
    const record = `${installation.storeFile}.engine`;
    await until(() => existsSync(record));
    const { pid } = JSON.parse(readFileSync(record, 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await until(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
    expect(await installation.run('status')).toMatchObject({ code: 3, stdout: 'not running\n' });
    expect((await installation.run('stop')).code).toBe(0);
    test.onTestFinished(async () => void (await installation.run('stop', '--hard')));
    expect((await installation.run('start')).code).toBe(0);
    expect(await installation.run('status')).toMatchObject({ code: 0, stdout: expect.stringContaining('running as') });
  });
});

describe('six launches at once, again and again, with a kill in between', () => {
  it('end in exactly one engine each time', async (test) => {
    const installation = createInstallation();
    test.onTestFinished(() => installation.remove());
    await installation.run('account', 'list');
    for (let round = 0; round < 4; round += 1) {
      const launches = Array.from({ length: 6 }, () => installation.start('run'));
      const isAlive = () => launches.filter(({ child }) => child.exitCode === null && child.signalCode === null);
      await until(() => isAlive().length === 1, 60_000);
      const [holder] = isAlive();
      const losers = launches.filter((one) => one !== holder);
      for (const { ended } of losers) expect(await ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
      await until(async () => (await installation.run('status')).code !== 3);
      holder?.child.kill('SIGKILL');
      await holder?.ended;
    }
  });
});
