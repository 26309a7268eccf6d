/**
 * Accounts on a Dovecot that several clients change at random while passes run and are killed. At each checkpoint the clients
 * stop, one clean pass runs, and the store must be a true copy of every account; one more pass must write nothing.
 * `npm test` takes a few rounds of one seed; `npm run test:soak` takes BACKPROC_SOAK_MINUTES (20) of ever new seeds, from
 * BACKPROC_SOAK_SEED on (a failure names its own).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';
import { createRandom } from '../support/mail-generator.ts';
import { createMutator } from '../support/mutator.ts';
import { differences, mailRows, rowChanges } from '../support/oracle.ts';

const isLong = process.env.npm_lifecycle_event === 'test:soak';
const minutes = isLong ? Number(process.env.BACKPROC_SOAK_MINUTES ?? 20) : 0;
const firstSeed = Number(process.env.BACKPROC_SOAK_SEED ?? 1);
const roundsPerSeed = isLong ? 8 : 1;

const users = ['anna', 'jan', 'ola'];
const kinds: readonly (readonly [name: string, extra: string])[] = [
  ['with QRESYNC', ''],
  [
    'without CONDSTORE, LIST-STATUS and MOVE',
    'protocol imap {\n  imap_capability = IMAP4rev1 LITERAL+ UIDPLUS CHILDREN NAMESPACE IDLE\n}\n',
  ],
];

const mutation = { delimiter: '/', prefix: '', largeBytes: 9 * 1024 * 1024 };

interface Soak {
  readonly dovecot: Dovecot;
  readonly installation: Installation;
  readonly random: () => number;
  readonly hasMove: boolean;
  readonly acntids: readonly number[];
}

describe.runIf(hasDovecot())('a soak of random changes and kills', () => {
  for (const [index, [name, extra]] of kinds.entries())
    it(
      `ends in a true copy at every checkpoint, ${name}`,
      async () => {
        const endMs = performance.now() + (minutes * 60_000) / kinds.length;
        let seed = firstSeed + index;
        do {
          await soakSeed(seed, extra);
          seed += kinds.length;
        } while (performance.now() < endMs);
      },
      Math.max(240_000, minutes * 60_000 * 3),
    );
});

async function soakSeed(seed: number, extra: string): Promise<void> {
  const dovecot = await startDovecot({ extra });
  const installation = createInstallation();
  try {
    const acntids: number[] = [];
    for (const user of users) acntids.push(await installation.addAccount(dovecot.port, user));
    for (const user of users) await fill(dovecot, user, seed);
    const soak: Soak = { dovecot, installation, random: createRandom(seed), hasMove: extra === '', acntids };
    for (let round = 0; round < roundsPerSeed; round += 1) {
      await changeWhilePassing(soak, seed * 1000 + round);
      await checkpoint(soak, { seed, round });
    }
  } finally {
    await installation.endPasses();
    await dovecot.stop();
    installation.remove();
  }
}

/** Two clients an account, and passes that are killed more often than not, until the clients have done their commands. */
async function changeWhilePassing(soak: Soak, seed: number): Promise<void> {
  const { dovecot, installation, random, hasMove } = soak;
  const stop = new AbortController();
  const changing = Promise.all(
    users.flatMap((user, at) =>
      [0, 1].map((client) => mutate(dovecot, user, seed * 100 + at * 10 + client, hasMove, stop.signal)),
    ),
  );
  let isChanging = true;
  const changed = changing.finally(() => {
    isChanging = false;
  });
  // Awaited below; a failure meanwhile must not end the process.
  changed.catch(() => undefined);
  while (isChanging) {
    if (random() < 0.1) bumpUidValidity(soak);
    await passAndKill(installation, random, soak.acntids);
  }
  stop.abort();
  await changed;
}

async function fill(dovecot: Dovecot, user: string, seed: number): Promise<void> {
  const mutator = await createMutator(() => dovecot.client(user), { seed, ...mutation, hasMove: false });
  await mutator.fill();
  await mutator.close();
}

async function mutate(
  dovecot: Dovecot,
  user: string,
  seed: number,
  hasMove: boolean,
  signal: AbortSignal,
): Promise<void> {
  const mutator = await createMutator(() => dovecot.client(user), { seed, ...mutation, hasMove });
  expect(await mutator.run(isLong ? 120 : 60, signal)).toBeGreaterThan(5);
  await mutator.close();
}

async function passAndKill(
  installation: Installation,
  random: () => number,
  acntids: readonly number[],
): Promise<void> {
  const acntid = acntids[Math.floor(random() * acntids.length)];
  const args = random() < 0.4 ? ['run', '--once'] : ['sync', String(acntid), ...(random() < 0.3 ? ['--full'] : [])];
  const { child, ended } = installation.start(...args);
  const isKilled = random() < 0.7;
  if (isKilled) {
    await Promise.race([wait(200 + random() * 1500), ended]);
    child.kill('SIGKILL');
  }
  const outcome = await ended;
  // 75: a folder was renamed or deleted under the pass.
  if (!isKilled)
    expect({ ...outcome, args, isFine: [0, 75].includes(outcome.code ?? -1) }).toMatchObject({ isFine: true });
}

function bumpUidValidity({ dovecot, random }: Soak): void {
  const user = users[Math.floor(random() * users.length)] ?? 'anna';
  const folder = random() < 0.6 ? 'INBOX' : 'Alpha';
  try {
    const value = String(1 + Math.floor(random() * 2 ** 31));
    dovecot.doveadm('mailbox', 'update', '-u', user, '--uid-validity', value, folder);
  } catch (error) {
    // The folder is not there now.
    if (!/doesn't exist|Mailbox|status/i.test(String(error))) throw error;
  }
}

/** Two passes: a deleted folder goes with the second listing that lacks it. The kill -9 of an engine leaves nothing to wait for. */
async function checkpoint({ dovecot, installation, acntids }: Soak, at: object): Promise<void> {
  const passes = async (...more: '--full'[]): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const acntid of acntids) outcomes.push(await installation.sync(acntid, ...more));
    return outcomes;
  };
  const clean = { code: 0, stdout: '', stderr: '' };
  for (const outcome of [...(await passes('--full')), ...(await passes())])
    expect({ ...at, ...outcome }).toMatchObject(clean);
  for (const [index, acntid] of acntids.entries()) {
    const listing = await dovecot.listing(users[index] ?? '');
    expect({ ...at, acntid, differences: differences(installation, acntid, listing) }).toMatchObject({
      differences: [],
    });
  }
  expect({ ...at, parked: installation.query('SELECT * FROM email_quarantine') }).toMatchObject({ parked: [] });
  expect({ ...at, check: installation.query('PRAGMA integrity_check') }).toMatchObject({
    check: [{ integrity_check: 'ok' }],
  });
  const before = mailRows(installation);
  for (const outcome of [...(await passes()), ...(await passes('--full'))])
    expect({ ...at, ...outcome }).toMatchObject(clean);
  expect({ ...at, changes: rowChanges(before, mailRows(installation)) }).toMatchObject({ changes: [] });
  await installation.endPasses();
}
