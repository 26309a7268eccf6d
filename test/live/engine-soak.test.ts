/**
 * The engine beside many accounts that clients change at random, killed and started again now and then. When the clients stop, each
 * account gets one more pass by the engine, and the store must be a true copy of it. `npm test` takes a few accounts and seconds;
 * `npm run test:soak` takes BACKPROC_SOAK_ACCOUNTS (200) and BACKPROC_ENGINE_SOAK_MINUTES (10).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { type EngineProcess, logText, startEngine } from '../support/engine-process.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { createRandom } from '../support/mail-generator.ts';
import { createMutator } from '../support/mutator.ts';
import { differences } from '../support/oracle.ts';

const isLong = process.env.npm_lifecycle_event === 'test:soak';
const accountCount = isLong ? Number(process.env.BACKPROC_SOAK_ACCOUNTS ?? 200) : 4;
const changeMs = isLong ? Number(process.env.BACKPROC_ENGINE_SOAK_MINUTES ?? 10) * 60_000 : 10_000;
const killMs = isLong ? 60_000 : 4000;
/** Clients at a time. */
const clientCount = 6;
const seed = Number(process.env.BACKPROC_SOAK_SEED ?? 1);

const users = Array.from({ length: accountCount }, (_, index) => `soak${index + 1}`);
const mutation = { delimiter: '/', prefix: '', largeBytes: 2 * 1024 * 1024, hasMove: true };

describe.runIf(hasDovecot())('an engine under random changes and kills', () => {
  it('keeps true copies of all accounts', { timeout: changeMs * 2 + accountCount * 10_000 + 120_000 }, async () => {
    const dovecot = await startDovecot();
    const installation = createInstallation({
      EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL: 5,
      EMAIL_BG_HI_FOLDERS_FOLDERS_FULL_SYNC_INTERVAL_NL: 60,
      BG_MAX_CONNECTIONS_PER_HOST: 40,
    });
    let engine: EngineProcess | null = null;
    try {
      const acntids: number[] = [];
      for (const user of users) acntids.push(await installation.addAccount(dovecot.port, user));
      engine = await startEngine(installation);
      const endMs = performance.now() + changeMs;
      const changing = Promise.all(
        Array.from({ length: clientCount }, (_, client) => change(dovecot, seed * 100 + client, endMs)),
      );
      changing.catch(() => undefined);
      while (performance.now() < endMs) {
        await wait(Math.min(killMs, Math.max(0, endMs - performance.now())));
        engine = await killAndStart(engine, installation);
      }
      await changing;
      for (const [index, user] of users.entries())
        await expectTrueCopy(dovecot, installation, acntids[index] ?? 0, user);
      // What goes wrong inside is told there.
      expect(logText(installation, 'threading-error')).toBe('');
    } finally {
      await engine?.stop();
      await dovecot.stop();
      installation.remove();
    }
  });
});

async function killAndStart(engine: EngineProcess, installation: Installation): Promise<EngineProcess> {
  engine.child.kill('SIGKILL');
  await engine.ended;
  return startEngine(installation);
}

/** One client: goes from account to account until the time is up. */
async function change(dovecot: Dovecot, clientSeed: number, endMs: number): Promise<void> {
  const random = createRandom(clientSeed);
  const { signal } = new AbortController();
  for (let round = 0; performance.now() < endMs; round += 1) {
    const user = users[Math.floor(random() * users.length)] ?? 'soak1';
    const mutator = await createMutator(() => dovecot.client(user), { seed: clientSeed * 1000 + round, ...mutation });
    if (random() < 0.3) await mutator.fill().catch(() => undefined);
    await mutator.run(20, signal);
    await mutator.close();
  }
}

async function expectTrueCopy(
  dovecot: Dovecot,
  installation: Installation,
  acntid: number,
  user: string,
): Promise<void> {
  // A listing that misses a folder for the first time deletes nothing yet.
  for (let look = 0; look < 2; look += 1) {
    const { code, stderr } = await installation.run('sync', String(acntid), '--full');
    expect({ user, code, stderr }).toEqual({ user, code: 0, stderr: '' });
  }
  expect({ user, found: differences(installation, acntid, await dovecot.listing(user)) }).toEqual({ user, found: [] });
}
