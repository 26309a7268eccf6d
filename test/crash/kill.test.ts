/**
 * kill -9 at every numbered durable step of the store (before begin, after each request, before and after commit, before the
 * replies), and at random moments. One clean run afterwards must end in the same rows as an undisturbed one, and a second must
 * write nothing. `npm test` takes every tenth step, `npm run test:crash` all. Not power loss: the page cache survives a kill.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { createInstallation, type Installation } from '../support/installation.ts';
import { differences, mailState } from '../support/oracle.ts';

const isWhole = process.env.npm_lifecycle_event === 'test:crash';
const every = isWhole ? 1 : 10;
const randomKills = isWhole ? 100 : 8;

const mails = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    raw: Buffer.from(
      `From: a@b.c\r\nSubject: ${prefix}-${index}\r\nMessage-ID: <${prefix}-${index}@test>\r\n\r\n${'A line of text.\r\n'.repeat(100 + index)}`,
    ),
  }));

describe.runIf(hasDovecot())('a process killed with SIGKILL', () => {
  let dovecot: Dovecot;
  let installation: Installation;
  const saved = (name: string): string => join(installation.folder, `saved-${name}`);
  const save = (name: string): void => cpSync(join(installation.folder, 'store'), saved(name), { recursive: true });
  const restore = (name: string): void => {
    rmSync(join(installation.folder, 'store'), { recursive: true });
    cpSync(saved(name), join(installation.folder, 'store'), { recursive: true });
  };
  const cleanRun = async (): Promise<void> => {
    expect(await installation.run('sync', '1', '--full')).toMatchObject({ code: 0, stderr: '' });
  };
  const lastChange = (): unknown => installation.query('SELECT MAX(seq) AS seq FROM email_changes');

  /** The undisturbed run from `start`: how many steps it has, and what it ends in. */
  const undisturbed = async (start: string): Promise<{ steps: number; state: string }> => {
    restore(start);
    const outcome = await installation.runWith({ BACKPROC_TEST_CRASH_AT: '0' }, 'sync', '1', '--full');
    expect(outcome.code).toBe(0);
    return { steps: Number(/durable steps: (\d+)/.exec(outcome.stderr)?.[1]), state: mailState(installation) };
  };

  const killAtEveryStep = async (start: string): Promise<void> => {
    const { steps, state } = await undisturbed(start);
    expect(steps).toBeGreaterThan(20);
    for (let step = 1 + Math.floor(Math.random() * every); step <= steps; step += every) {
      restore(start);
      const killed = await installation.runWith({ BACKPROC_TEST_CRASH_AT: String(step) }, 'sync', '1', '--full');
      // Batches are grouped by what happens to be waiting: a run may have fewer steps than the undisturbed one.
      if (killed.signal !== 'SIGKILL') expect(killed.code).toBe(0);
      await cleanRun();
      expect({ step, state: mailState(installation) }).toEqual({ step, state });
    }
    const before = lastChange();
    await cleanRun();
    expect({ change: lastChange(), state: mailState(installation) }).toEqual({ change: before, state });
  };

  beforeAll(async () => {
    dovecot = await startDovecot();
    installation = createInstallation();
    await installation.addAccount(dovecot.port, 'anna');
    save('empty');
    const client = await dovecot.client('anna');
    await client.append('INBOX', mails('inbox', 260));
    await client.command('CREATE Work');
    await client.append('Work', mails('work', 40));
    await client.close();
  });
  afterAll(async () => {
    await dovecot.stop();
    installation.remove();
  });

  it('in a first sync loses and doubles nothing', async () => {
    await killAtEveryStep('empty');
    expect(differences(installation, 1, await dovecot.listing('anna'))).toEqual([]);
  });

  it('while following changes loses and doubles nothing', async () => {
    save('synced');
    const client = await dovecot.client('anna');
    await client.append('INBOX', mails('later', 30));
    await client.command('SELECT INBOX');
    await client.command('UID STORE 1:40 +FLAGS (\\Seen)');
    await client.command('UID STORE 50:55 +FLAGS (\\Deleted)');
    await client.command('EXPUNGE');
    await client.command('UID MOVE 60:65 Work');
    await client.close();
    await killAtEveryStep('synced');
    expect(differences(installation, 1, await dovecot.listing('anna'))).toEqual([]);
  });

  it('while a changed UIDVALIDITY is matched loses and doubles nothing', async () => {
    rmSync(saved('synced'), { recursive: true });
    save('synced');
    dovecot.doveadm('mailbox', 'update', '-u', 'anna', '--uid-validity', '777777', 'INBOX');
    await killAtEveryStep('synced');
    expect(differences(installation, 1, await dovecot.listing('anna'))).toEqual([]);
  });

  it('at random moments, again and again, loses and doubles nothing', async () => {
    const { state } = await undisturbed('empty');
    restore('empty');
    for (let kill = 0; kill < randomKills; kill += 1) {
      const { child, ended } = installation.start('sync', '1', '--full');
      const timer = setTimeout(() => child.kill('SIGKILL'), Math.random() * 900);
      await ended;
      clearTimeout(timer);
      if (kill % 4 === 3) {
        await cleanRun();
        expect(mailState(installation)).toBe(state);
        restore('empty');
      }
    }
    expect(installation.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });
});
