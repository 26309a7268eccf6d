import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeLogin, judgeStates, sampleAccounts } from '../../../../src/cli/doctor/accounts.ts';
import { judgeEngine } from '../../../../src/cli/doctor/ask-engine.ts';
import { judgeJobState, judgeStore, judgeWal } from '../../../../src/cli/doctor/data.ts';
import { type DiskFacts, growthOf, judgeDisk } from '../../../../src/cli/doctor/disk.ts';
import { judgeLock, type LockFacts } from '../../../../src/cli/doctor/engine-lock.ts';
import { bad, gravest, ok, warn } from '../../../../src/cli/doctor/finding.ts';
import { judgeLaunch, launchesUs } from '../../../../src/cli/doctor/launch.ts';
import { judgeLog } from '../../../../src/cli/doctor/log.ts';
import { judgeClock, judgeNode, judgeRamDisk, judgeZone } from '../../../../src/cli/doctor/machine.ts';
import { report } from '../../../../src/cli/doctor/report.ts';
import type { StoreExamination } from '../../../../src/store/sqlite/examine.ts';
import type { Account } from '../../../../src/store/store.ts';

const mib = 1024 * 1024;
const dayMs = 86_400_000;
const nowMs = Date.parse('2027-03-01T12:00:00Z');

describe('the verdict', () => {
  it('is that of the gravest finding', () => {
    expect(gravest([ok('a', ''), bad('b', '', ''), warn('c', '', '')])).toBe('bad');
    expect([gravest([ok('a', ''), warn('c', '', '')]), gravest([])]).toEqual(['warn', 'ok']);
  });
  it('is told line by line, with what to do below, and no line that a finding could break', () => {
    const text = report([ok('node', 'Node 20'), bad('login', 'a\nb\u001b[31m', 'do\nthis')], ['made x']);
    expect(text.split('\n')).toEqual([
      'repair: made x',
      '',
      'ok    node   Node 20',
      'BAD   login  a\\nb\\u001b[31m',
      '             → do\\nthis',
      '',
      '1 bad, 0 to look at, 1 well',
    ]);
  });
});

describe('Node', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['20.18.9', 'bad'],
    ['18.99.0', 'bad'],
    ['22.0.0', 'ok'],
    ['100.1.0', 'ok'],
  ])('%s is %s where 20.19 is needed', (version, state) => {
    const findings = judgeNode({ version, wanted: '20.19', sqliteVersion: '3.53.2', sqliteError: null });
    expect(findings[0]?.state).toBe(state);
  });
  it('of another version than SQLite was built for is told with the cure', () => {
    const [, sqlite] = judgeNode({
      version: '22.0.0',
      wanted: '20.19',
      sqliteVersion: null,
      sqliteError: 'NODE_MODULE_VERSION 115',
    });
    expect(sqlite).toMatchObject({ state: 'bad', todo: expect.stringContaining('npm ci') });
  });
});

describe('the data folder', () => {
  const facts = { folder: '/opt/backproc/data', isThere: true, fileSystem: 'tmpfs', freeBytes: 100 * mib, uid: 33 };
  it.each([
    [{}, 'ok'],
    [{ fileSystem: 'ext4' }, 'warn'],
    [{ fileSystem: null }, 'ok'],
    [{ isThere: false, fileSystem: null }, 'ok'],
    [{ freeBytes: mib }, 'warn'],
    [{ folder: '/dev/shm/backproc', uid: 1000 }, 'warn'],
    [{ folder: '/dev/shm/backproc' }, 'ok'],
  ])('%j is %s', (more, state) => expect(judgeRamDisk({ ...facts, ...more }).state).toBe(state));
});

describe('the disk', () => {
  const facts = (more: Partial<DiskFacts> = {}): DiskFacts => ({
    folder: '/store',
    freeBytes: 100_000 * mib,
    totalBytes: 200_000 * mib,
    storeBytes: 1000 * mib,
    storeFreeBytes: 0,
    sizes: [],
    nowMs,
    network: null,
    ...more,
  });
  const grown = (perDay: number, days = 30) =>
    Array.from({ length: days }, (_, index) => ({
      at: new Date(nowMs - (days - index) * dayMs).toISOString(),
      bytes: 1000 * mib - (days - index) * perDay,
      freeBytes: 0,
    }));
  it('says for how long it lasts at the rate of the last month, and how it knows', () => {
    expect(judgeDisk(facts({ sizes: grown(mib), freeBytes: 3000 * mib }))).toEqual([
      ok(
        'disk',
        '3.1 GB of 209.7 GB free at /store; the store grew by 1.0 MB a day over the last 7 days: enough for 3000 days',
      ),
    ]);
  });
  it.each([
    ['nothing known yet', { sizes: grown(10 * mib, 1) }, 'ok', /known after two days/],
    ['a store that shrank', { sizes: grown(-mib) }, 'ok', /did not grow/],
    ['a month left', { sizes: grown(100 * mib), freeBytes: 2900 * mib }, 'warn', /enough for 29 days/],
    ['two days left', { sizes: grown(1000 * mib), freeBytes: 2500 * mib }, 'bad', /enough for 2 days/],
    ['little room', { freeBytes: 1000 * mib }, 'warn', /free/],
    ['no room', { freeBytes: 100 * mib }, 'bad', /free/],
    [
      'freed pages, which new mail takes first',
      { sizes: grown(100 * mib), freeBytes: 2900 * mib, storeFreeBytes: 500 * mib, storeBytes: 1500 * mib },
      'ok',
      /enough for 34 days/,
    ],
  ] as const)('judges %s', (_, more, state, text) => {
    expect(judgeDisk(facts(more))).toEqual([expect.objectContaining({ state, found: expect.stringMatching(text) })]);
  });
  it('of another machine is bad, whatever room it has', () => {
    expect(judgeDisk(facts({ network: 'nfs' }))[0]).toMatchObject({
      state: 'bad',
      found: expect.stringContaining('nfs'),
    });
  });
  it('is judged by the faster of a week and a month, never by less than two days, and by no day to come', () => {
    const sample = fc.record({
      ageDays: fc.integer({ min: -3, max: 60 }),
      bytes: fc.integer({ min: 0, max: 1000 * mib }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(sample, { selector: ({ ageDays }) => ageDays, maxLength: 20 }), (samples) => {
        const sorted = samples.sort((a, b) => b.ageDays - a.ageDays);
        const sizes = sorted.map(({ ageDays, bytes }) => ({
          at: new Date(nowMs - ageDays * dayMs).toISOString(),
          bytes,
          freeBytes: 0,
        }));
        const growth = growthOf(facts({ sizes }));
        const useful = sorted.filter(({ ageDays }) => ageDays >= 2 && ageDays <= 30);
        expect(growth === null).toBe(useful.length === 0);
        if (growth) expect(growth.days).toBeGreaterThanOrEqual(2);
        const oldest = useful[0];
        if (growth && oldest)
          expect(growth.bytesPerDay).toBeGreaterThanOrEqual((1000 * mib - oldest.bytes) / oldest.ageDays - 1e-6);
      }),
    );
  });
});

describe('the lock', () => {
  const holder = { pid: 4711, startedAt: '2027-03-01T00:00:00.000Z', version: '1.0.0' };
  const facts = (more: Partial<LockFacts> = {}): LockFacts => ({
    isHeld: true,
    holder,
    beatAgeMs: 4000,
    isStopped: false,
    lockPids: [4711],
    leftovers: [],
    version: '1.0.0',
    ...more,
  });
  it.each([
    ['held by an engine that beats', {}, 'ok', /4711/],
    ['free', { isHeld: false, holder: null, beatAgeMs: null }, 'ok', /no engine/],
    [
      'free, with files of a dead engine',
      { isHeld: false, holder: null, leftovers: ['/pid/backproc.pid'] },
      'warn',
      /backproc.pid/,
    ],
    ['held by an unknown process', { holder: null, lockPids: [12] }, 'warn', /process 12 that left no record/],
    ['held where the kernel tells nobody', { holder: null, lockPids: [] }, 'warn', /a process that/],
    ['held by an engine that was stopped', { isStopped: true }, 'bad', /stopped by a signal/],
    ['held by a silent engine', { beatAgeMs: 90_000 }, 'bad', /no sign of life for 90 s/],
    ['held by an older version', { version: '1.1.0' }, 'warn', /installed is 1.1.0/],
  ] as const)('%s', (_, more, state, text) => {
    expect(judgeLock(facts(more))).toMatchObject({ check: 'lock', state, found: expect.stringMatching(text) });
  });
});

describe('the engine’s own word', () => {
  const answer = { running: true, late: false, accounts: 1000, rssMib: 120, isStopping: false, threads: [] };
  it.each([
    ['in time', answer, ['ok']],
    ['late', { ...answer, late: true }, ['warn']],
    ['stopping', { ...answer, isStopping: true }, ['warn']],
    ['silent', { running: true }, ['warn']],
    ['no answer at all', null, ['warn']],
    ['ended meanwhile', { running: false }, []],
  ] as const)('%s', (_, given, states) => expect(judgeEngine(given).map(({ state }) => state)).toEqual(states));
});

describe('job state, store and WAL', () => {
  it.each([
    ['absent', 'ok'],
    ['sound', 'ok'],
    ['busy', 'ok'],
    ['unread', 'ok'],
    ['damaged', 'bad'],
  ] as const)('job state that is %s is %s', (state, verdict) => {
    expect(judgeJobState({ file: '/data/x.db', state, detail: 'x' }).state).toBe(verdict);
  });
  const found = (more: Partial<StoreExamination> = {}): StoreExamination => ({
    bytes: 10 * mib,
    error: null,
    version: 6,
    knownVersion: 6,
    freeBytes: 0,
    walBytes: 0,
    problems: [],
    newestAt: null,
    sizes: [],
    hasSecrets: false,
    ...more,
  });
  const error = (code: 'store_corrupt' | 'store_newer' | 'store_io') =>
    ({ code, scope: 'process', remedy: 'retry', detail: code }) as const;
  it.each([
    ['sound', found(), ['ok', 'ok']],
    ['not there', found({ bytes: null }), ['warn']],
    ['older than the program', found({ version: 1 }), ['warn', 'ok']],
    ['damaged in a page', found({ problems: ['row 3 missing'] }), ['ok', 'bad']],
    ['too large to check by the way', found({ problems: null }), ['ok', 'ok']],
    ['newer than the program', found({ error: error('store_newer') }), ['bad']],
    ['no database', found({ error: error('store_corrupt') }), ['bad']],
    ['out of reach', found({ error: error('store_io') }), ['bad']],
  ] as const)('a store that is %s', (_, examination, states) => {
    const findings = judgeStore('/store/mail.db', examination);
    expect(findings.map(({ state }) => state)).toEqual(states);
    for (const finding of findings) expect(finding.todo === null).toBe(finding.state === 'ok');
  });
  it.each([
    [64 * mib, 'ok'],
    [100 * mib, 'warn'],
    [2000 * mib, 'bad'],
  ])('a WAL of %i bytes is %s', (bytes, state) => expect(judgeWal({ bytes, longReaders: [] }).state).toBe(state));
  it('names who keeps a read open, small as the WAL may be yet', () => {
    expect(judgeWal({ bytes: 1, longReaders: [{ pid: 12, name: 'php-fpm' }] }).found).toContain('process 12 (php-fpm)');
  });
});

describe('the clock and its zone', () => {
  const facts = {
    nowMs,
    newestAt: '2027-03-01T11:59:00.000Z',
    logNames: ['20270301-info.log', 'x'],
    today: '20270301',
  };
  it.each([
    [{}, 'ok'],
    [{ newestAt: null }, 'ok'],
    [{ newestAt: '2027-03-01T12:04:00.000Z' }, 'ok'],
    [{ newestAt: '2037-03-01T12:00:00.000Z' }, 'bad'],
    [{ logNames: ['20270302-info.log'] }, 'warn'],
  ])('%j: %s', (more, state) => expect(judgeClock({ ...facts, ...more }).state).toBe(state));
  it('may be another under cron when it comes from this shell', () => {
    const zone = { configured: 'Europe/Warsaw', isGiven: false, environment: 'Europe/Warsaw' };
    expect(judgeZone(zone).state).toBe('warn');
    expect([judgeZone({ ...zone, isGiven: true }).state, judgeZone({ ...zone, environment: undefined }).state]).toEqual(
      ['ok', 'ok'],
    );
  });
});

describe('what launches the engine', () => {
  const program = {
    main: '/opt/backproc/dist/main.js',
    installFolder: '/opt/backproc',
    configFile: '/etc/backproc/100% sure.ts',
  };
  it.each([
    ['* * * * * www-data node /opt/backproc/dist/main.js run', true],
    ['* * * * * www-data cd /opt/backproc && node dist/main.js run --once', true],
    ["* * * * * www-data exec node /opt/backproc/dist/main.js run --config '/etc/backproc/100\\% sure.ts'", true],
    ['ExecStart=node /opt/backproc/dist/main.js run --config "/etc/backproc/100%% sure.ts"', true],
    ['* * * * * www-data node /opt/backproc/dist/main.js run --config /etc/other.ts', false],
    ['#* * * * * www-data node /opt/backproc/dist/main.js run', false],
    ['* * * * * www-data node /opt/other/dist/main.js run', false],
  ])('%s: %s', (line, expected) => expect(launchesUs(line, program)).toBe(expected));

  const entry = { kind: 'cron', path: '/etc/cron.d/backproc', isEnabled: true } as const;
  const facts = { entries: [entry], isCronRunning: true, unseen: [], isEngineAlive: false };
  it.each([
    [{}, 'ok'],
    [{ entries: [] }, 'warn'],
    [{ isCronRunning: false }, 'warn'],
    [{ isCronRunning: null }, 'ok'],
    [{ entries: [{ ...entry, kind: 'systemd', isEnabled: false } as const] }, 'warn'],
    [{ entries: [entry, { ...entry, kind: 'systemd' } as const], isCronRunning: false }, 'ok'],
  ])('%j: %s', (more, state) => expect(judgeLaunch({ ...facts, ...more }).state).toBe(state));
});

describe('the log', () => {
  it('tells of little room, and of the last thread error', () => {
    const states = (freeBytes: number | null, threadErrors: string[] = []) =>
      judgeLog({ folder: '/logs', freeBytes, threadErrors }).map(({ state }) => state);
    expect([states(null), states(1000 * mib), states(mib)]).toEqual([['ok'], ['ok'], ['warn']]);
    expect(judgeLog({ folder: '/logs', freeBytes: 1000 * mib, threadErrors: ['a', 'b'] })[1]?.found).toMatch(
      /^2 .* b$/,
    );
  });
});

describe('accounts', () => {
  const account = (acntid: number, host: string, more: Partial<Account> = {}): Account => ({
    acntid,
    email: `u${acntid}@example.com`,
    userId: null,
    name: null,
    imap: { host, port: 993, security: 'tls', user: 'u' },
    smtp: null,
    allowPlaintext: false,
    enabled: true,
    state: 'ok',
    lastError: null,
    retryAt: null,
    checkedAt: null,
    failureCount: 0,
    vanishedTrust: 0,
    ...more,
  });
  it('are sampled over as many servers as there are; disabled ones never', () => {
    const hosts = fc.array(fc.record({ host: fc.constantFrom('a', 'b', 'c', 'd'), enabled: fc.boolean() }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(hosts, fc.integer({ min: 0, max: 25 }), (given, count) => {
        const all = given.map(({ host, enabled }, index) => account(index + 1, host, { enabled }));
        const sample = sampleAccounts(all, count);
        const enabled = all.filter((one) => one.enabled);
        const hostCount = (some: readonly Account[]) => new Set(some.map(({ imap }) => imap.host)).size;
        expect(sample).toHaveLength(Math.min(count, enabled.length));
        expect(new Set(sample).size).toBe(sample.length);
        expect(sample.every((one) => one.enabled)).toBe(true);
        expect(hostCount(sample)).toBe(Math.min(sample.length, hostCount(enabled)));
      }),
    );
  });
  it('that were refused are counted from the store', () => {
    const all = [
      account(1, 'a'),
      account(2, 'a', { state: 'auth_error' }),
      account(3, 'a', { state: 'backoff' }),
      account(4, 'a', { state: 'auth_error', enabled: false }),
    ];
    expect(judgeStates(all)).toMatchObject({
      state: 'warn',
      found: '4 accounts, 1 well, 1 refused at login, 1 in backoff',
    });
    expect(judgeStates(all.slice(0, 1)).state).toBe('ok');
  });
  it.each([
    [null, 'ok'],
    ['connection_refused', 'warn'],
    ['auth_failed', 'bad'],
    ['tls_untrusted', 'bad'],
  ] as const)('a login that ended in %s is %s', (code, state) => {
    const error = code === null ? null : ({ code, scope: 'account', remedy: 'retry', detail: 'x' } as const);
    expect(judgeLogin({ account: account(1, 'mail.example.com'), ms: 12.3, error }).state).toBe(state);
  });
});
