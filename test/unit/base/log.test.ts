import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isJournal } from '../../../src/base/journal.ts';
import { createLog, type Log, type LogOptions } from '../../../src/base/log.ts';
import { canMount, resizeTmpfs, withTmpfs } from '../../support/mount.ts';

let folder: string;
let now: Date;
let problems: string[];
const open: Log[] = [];

function startLog(more: Partial<LogOptions> = {}): Log {
  const log = createLog({
    folder,
    level: 'info',
    format: 'line',
    timeZone: 'Europe/Warsaw',
    thread: 't1',
    clock: () => now,
    onProblem: (text) => problems.push(text),
    ...more,
  });
  open.push(log);
  return log;
}
const linesOf = (name: string): string[] => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
const today = '20261123-info.log';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backproc-log-'));
  now = new Date('2026-11-23T12:00:00Z');
  problems = [];
});
afterEach(() => {
  for (const log of open.splice(0)) log.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the log', () => {
  it('begins a new file at local midnight, not at that of UTC', () => {
    const log = startLog();
    now = new Date('2026-11-23T22:59:59Z');
    log.info('before');
    now = new Date('2026-11-23T23:00:00Z');
    log.info('after', { acntid: 53 });
    expect(linesOf(today)).toEqual([`[2026-11-23 23:59:59][#${process.pid}.t1] before`]);
    expect(linesOf('20261124-info.log')).toEqual([`[2026-11-24 00:00:00][#${process.pid}.t1] after [53,0]`]);
  });

  it('writes thread errors to both files', () => {
    startLog().threadingError('t3 died', { acntid: 1 });
    expect(linesOf('20261123-threading-error.log')).toEqual(linesOf(today));
    expect(linesOf(today)).toHaveLength(1);
  });

  it('changes its level from the next line on', () => {
    const log = startLog();
    log.debug('unseen');
    log.setLevel('debug');
    log.debug('seen');
    log.setLevel('error');
    log.warn('unseen');
    expect(linesOf(today)).toEqual([expect.stringMatching(/ seen$/)]);
  });

  it('writes one JSON object a line where that is asked for, with level and instant as words', () => {
    startLog({ format: 'json' }).warn('a\nb', { acntid: 53, emfdid: 824 });
    expect(linesOf(today).map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        level: 'warn',
        time: '2026-11-23T12:00:00.000Z',
        pid: process.pid,
        thread: 't1',
        acntid: 53,
        emfdid: 824,
        msg: 'a\nb',
      },
    ]);
  });

  it.each([
    ['deleted', (file: string) => rmSync(file)],
    ['renamed by logrotate', (file: string) => renameSync(file, `${file}.1`)],
  ])('is opened again with the next line when its file was %s', (_, takeAway) => {
    const log = startLog();
    log.info('one');
    takeAway(join(folder, today));
    log.info('two');
    expect(linesOf(today)).toEqual([expect.stringMatching(/ two$/)]);
    expect(problems).toEqual([]);
  });
});

describe('a log that cannot be written', () => {
  it('never throws, is told once, and tells and logs how many lines were lost when it can be written again', () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file where the folder should be');
    const log = startLog();
    for (let line = 0; line < 5; line += 1) log.info(`lost ${line}`);
    expect(problems).toEqual([expect.stringMatching(/^the log cannot be written: E/)]);
    rmSync(folder);
    log.info('first again');
    log.info('second');
    expect(problems.slice(1)).toEqual(['the log can be written again: 5 lines were lost']);
    expect(linesOf(today).map((line) => line.replace(/^.*\] /, ''))).toEqual([
      'first again',
      'the log can be written again: 5 lines were lost',
      'second',
    ]);
  });

  it.runIf(existsSync('/dev/full'))('does the same on a full disk, and a second time tells it again', () => {
    symlinkSync('/dev/full', join(folder, today));
    const log = startLog();
    log.info('lost');
    rmSync(join(folder, today));
    log.info('kept');
    rmSync(join(folder, today));
    symlinkSync('/dev/full', join(folder, today));
    log.info('lost');
    expect(problems).toEqual([
      expect.stringMatching(/ENOSPC/),
      'the log can be written again: 1 lines were lost',
      expect.stringMatching(/ENOSPC/),
    ]);
  });

  it('is heard of by nobody where nobody asked, and the folder stays empty', () => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, '');
    const log = createLog({ folder, level: 'info', format: 'line', timeZone: 'UTC', thread: 't2' });
    expect(() => log.threadingError('x')).not.toThrow();
    log.close();
    rmSync(folder);
    expect(existsSync(folder) && readdirSync(folder)).toBe(false);
  });

  it.runIf(canMount())('does not glue the next line to one that a full disk cut short', async () => {
    await withTmpfs(folder, '4k', () => {
      const log = startLog();
      log.info('x'.repeat(3000));
      log.info('y'.repeat(3000));
      expect(problems).toEqual([expect.stringMatching(/no space left on device/)]);
      resizeTmpfs(folder, '64k');
      log.info('after');
      const texts = linesOf(today).map((line) => line.replace(/^.*\] /, '').slice(0, 9));
      expect(texts).toEqual(['xxxxxxxxx', 'yyyyyyyyy', 'after', 'the log c']);
    });
  });
});

describe('the journal', () => {
  /** Logs one line in a process of its own, whose stderr is the file that JOURNAL_STREAM names, or another one. */
  function logUnder(isJournalStream: boolean, journal: boolean): string {
    const file = join(folder, 'stderr');
    const fd = openSync(file, 'w');
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const script = `
      const { createLog } = await import('${built('log')}');
      const { isJournal } = await import('${built('journal')}');
      const journal = ${journal} && isJournal(process.env.JOURNAL_STREAM);
      const log = createLog({ folder: process.argv[1], level: 'info', format: 'line', timeZone: 'UTC', thread: 't1', journal });
      log.warn('slow\\nserver', { acntid: 53 });`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script, folder], {
      env: { ...process.env, JOURNAL_STREAM: isJournalStream ? `${dev}:${ino}` : '8:1' },
      stdio: ['ignore', 'ignore', fd],
    });
    closeSync(fd);
    return readFileSync(file, 'utf8');
  }
  const built = (name: string): string => new URL(`../../../build/base/${name}.js`, import.meta.url).href;

  it('gets each line with its priority where the configuration says so', () => {
    expect(logUnder(true, true)).toBe('<4>slow\\nserver [53,0]\n');
    expect(readdirSync(folder).filter((name) => name.endsWith('-info.log'))).toHaveLength(1);
  });
  it('gets nothing that the files have where it does not, and a stderr that is no journal never does', () => {
    expect([logUnder(true, false), logUnder(false, true)]).toEqual(['', '']);
    expect([isJournal(undefined), isJournal('8:1')]).toEqual([false, false]);
  });
});
