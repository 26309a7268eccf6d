import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { jobFileOf, openQueue } from '../../src/queue/open-queue.ts';
import type { Queue, QueuedTask } from '../../src/queue/queue.ts';
import { isRamDisk } from '../../src/queue/ram-disk.ts';
import { inMemory, openJobFile } from '../../src/queue/sqlite/job-file.ts';
import { createSqliteQueue } from '../../src/queue/sqlite/sqlite-queue.ts';
import { describeQueue } from './queue-contract.ts';

const makeFolder = (): string => mkdtempSync(join(tmpdir(), 'backproc-queue-'));
const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true });

describeQueue('SQLite queue in memory', () => ({
  queue: createSqliteQueue(openJobFile(inMemory)),
  remove: () => undefined,
}));
describeQueue('SQLite queue in a file', () => {
  const folder = makeFolder();
  return { queue: createSqliteQueue(openJobFile(join(folder, 'node.db'))), remove: () => removeFolder(folder) };
});
describeQueue('the engine’s queue', () => {
  const folder = makeFolder();
  const queue = openQueue({
    folder,
    nodeId: 'node',
    isOurs: () => true,
    onProblem: () => undefined,
    onLost: () => undefined,
  });
  return { queue, remove: () => removeFolder(folder) };
});

const task = (acntid: number, dueMs = 1): QueuedTask => ({
  kind: 'sync',
  acntid,
  server: 'a.example.com:993',
  class: 'recent',
  dueMs,
  attempts: 0,
  fruitlessCount: 0,
});
const numbers = async (queue: Queue): Promise<number[]> =>
  (await queue.due({ kinds: ['sync'], nowMs: 9, skipServers: new Set(), countPerServer: 9, countMax: 9 })).map(
    ({ acntid }) => acntid,
  );

describe('the job database', () => {
  let folder: string;
  let file: string;
  const problems: string[] = [];
  let lostCount: number;
  let isOurs: boolean;
  const open = (): Queue =>
    openQueue({
      folder,
      nodeId: '127.0.0.1',
      isOurs: () => isOurs,
      onProblem: (text) => problems.push(text),
      onLost: () => {
        lostCount += 1;
      },
    });
  const failures = (): string[] => problems.filter((text) => !text.includes('RAM disk'));
  beforeEach(() => {
    folder = join(makeFolder(), 'data');
    file = jobFileOf(folder, '127.0.0.1');
    problems.length = 0;
    lostCount = 0;
    isOurs = true;
  });
  afterEach(() => removeFolder(dirname(folder)));

  it('is named after its machine, and is the group’s to read', async () => {
    const queue = open();
    expect([file, statSync(file).mode & 0o777]).toEqual([join(folder, '127.0.0.1.db'), 0o660]);
    const database = openSqlite(file, { readonly: true });
    expect(database.pragma('journal_mode', { simple: true })).toBe('delete');
    database.close();
    await queue.close();
  });

  it('is taken over after a clean end, with nothing running', async () => {
    const first = open();
    await first.put([task(1), task(2)]);
    await first.start([{ ...task(1), lateMs: 0 }], 5);
    await first.close();
    const second = open();
    expect(await numbers(second)).toEqual([1, 2]);
    expect(await second.running()).toEqual([]);
    await second.close();
  });

  it.each([
    ['garbage', () => writeFileSync(file, 'no database at all, and long enough for a header. '.repeat(90))],
    ['a torn file', () => writeFileSync(file, readFileSync(file).subarray(0, 5000))],
    ['one bad page', () => overwrite(file, 2 * 4096, 'x'.repeat(4096))],
    ['tables of another version', () => execute(file, 'PRAGMA user_version = 99')],
    ['a run that has not ended, or was killed', () => execute(file, 'UPDATE state SET is_open = 1')],
    ['a folder in its place', () => putFolderAt(file)],
  ])('is not trusted: %s', async (_, damage) => {
    const first = open();
    await first.put(Array.from({ length: 500 }, (_none, index) => task(index + 1)));
    await first.close();
    damage();
    const second = open();
    expect(await numbers(second)).toEqual([]);
    await second.put([task(2)]);
    expect([lostCount, await numbers(second)]).toEqual([0, [2]]);
    await second.close();
  });

  it('of a run that goes on is not trusted', async () => {
    const first = open();
    await first.put([task(1)]);
    const second = open();
    expect(await numbers(second)).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });

  it('deleted while it is used is made anew, once; then the queue lives in memory; each loss is told once', async () => {
    const queue = open();
    await queue.put([task(1)]);
    rmSync(file);
    await Promise.all([queue.put([task(2)]), queue.put([task(3)])]);
    expect([lostCount, failures().length, existsSync(file)]).toEqual([1, 1, true]);
    expect(await numbers(queue)).toEqual([2, 3]);
    rmSync(folder, { recursive: true });
    await queue.end({ kind: 'sync', acntid: 3 }, [task(3)]);
    expect([lostCount, failures().length, existsSync(file)]).toEqual([2, 2, false]);
    expect(await numbers(queue)).toEqual([3]);
    await queue.put([task(4)]);
    expect([lostCount, await numbers(queue)]).toEqual([2, [3, 4]]);
    await queue.close();
  });

  it('of an engine that was robbed of its lock, made anew by the next one, is left to that one', async () => {
    const robbed = open();
    await robbed.put([task(1)]);
    const next = open();
    await next.put([task(2)]);
    isOurs = false;
    await robbed.put([task(3)]);
    expect([await numbers(robbed), failures()]).toEqual([[3], [expect.stringContaining('kept in memory')]]);
    await robbed.close();
    await next.put([task(4)]);
    expect([await numbers(next), failures().length]).toEqual([[2, 4], 1]);
    await next.close();
    const later = open();
    expect(await numbers(later)).toEqual([2, 4]);
    await later.close();
  });

  it('that is closed answers what comes late with `aborted`', async () => {
    const queue = open();
    await queue.close();
    await expect(queue.put([task(1)])).rejects.toMatchObject({ code: 'aborted' });
  });

  it('on a RAM disk that is full is done without, and loses nothing that the caller puts again', async (test) => {
    mkdirSync(folder, { recursive: true });
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', folder]);
    if (mount.status !== 0) return test.skip('mounting a tmpfs takes root on Linux');
    const queue = open();
    try {
      const many = Array.from({ length: 4000 }, (_, index) => task(index + 1));
      await queue.put(many);
      expect([lostCount, failures()]).toEqual([
        2,
        [expect.stringContaining('full'), expect.stringContaining('memory')],
      ]);
      expect(await queue.counts(9)).toMatchObject([{ waiting: 4000 }]);
    } finally {
      await queue.close();
      spawnSync('umount', [folder]);
    }
  });

  it('that another program holds is left to it', async () => {
    const queue = open();
    const other = openSqlite(file);
    other.exec('BEGIN IMMEDIATE');
    await queue.put([task(1)]);
    expect([lostCount, await numbers(queue)]).toEqual([1, [1]]);
    other.close();
    await queue.close();
  });

  it('is done without where it cannot be made', async () => {
    mkdirSync(dirname(folder), { recursive: true });
    writeFileSync(folder, 'a file where the folder should be');
    const queue = open();
    await queue.put([task(1)]);
    expect(await numbers(queue)).toEqual([1]);
    expect(failures()).toEqual([expect.stringContaining('kept in memory')]);
    await queue.close();
  });

  it.skipIf(process.platform !== 'linux')('says whether its folder is a RAM disk', async () => {
    expect([isRamDisk('/dev/shm'), isRamDisk('/proc'), isRamDisk('/no/such/folder')]).toEqual([true, false, null]);
    const queue = open();
    expect(problems.length).toBe(isRamDisk(folder) ? 0 : 1);
    await queue.put([task(1)]);
    expect(problems.length).toBe(isRamDisk(folder) ? 0 : 1);
    await queue.close();
  });
});

function putFolderAt(file: string): void {
  rmSync(file);
  mkdirSync(join(file, 'x'), { recursive: true });
}

function overwrite(file: string, at: number, text: string): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, text, at);
  closeSync(handle);
}

function execute(file: string, sql: string): void {
  const database = openSqlite(file);
  database.exec(sql);
  database.close();
}
