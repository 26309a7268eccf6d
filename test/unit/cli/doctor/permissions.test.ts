import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Entry, isShared, judgePermissions, planRepairs } from '../../../../src/cli/doctor/permissions.ts';

const owner = { uid: 33, gid: 1001, user: 'www-data', group: 'edokumenty' };
const entry = (path: string, kind: Entry['kind'], mode: number, more: Partial<Entry> = {}): Entry => ({
  path,
  kind,
  mode,
  uid: 33,
  gid: 1001,
  ...more,
});
const sound = [
  entry('/store', 'folder', 0o2770),
  entry('/logs', 'folder', 0o770),
  entry('/store/mail.db', 'file', 0o660),
  entry('/store/secret.key', 'key', 0o600),
];

describe('permissions', () => {
  it('are well where everything is the engine’s and its group’s, and nobody else’s', () => {
    expect(judgePermissions(sound, owner)).toEqual([
      {
        check: 'permissions',
        state: 'ok',
        found: "4 folders and files are www-data's and the group edokumenty's",
        todo: null,
      },
    ]);
    expect(judgePermissions([], owner)[0]?.state).toBe('ok');
  });
  it.each([
    ['a key that the group can read', entry('/k', 'key', 0o640), 'bad', /others can read the key/],
    ['a folder that everybody may look into', entry('/d', 'folder', 0o2775), 'bad', /everybody/],
    ['a RAM disk as it was mounted before', entry('/d', 'folder', 0o1777), 'bad', /everybody/],
    [
      'a file of root’s, made by a command as root',
      entry('/l', 'file', 0o640, { uid: 0, gid: 0 }),
      'bad',
      /www-data cannot write/,
    ],
    ['a file of root’s that the group may write', entry('/l', 'file', 0o660, { uid: 0 }), 'ok', /./],
    ['a key of root’s', entry('/k', 'key', 0o600, { uid: 0 }), 'bad', /www-data cannot write/],
    [
      'a configuration of root’s alone',
      entry('/c', 'config', 0o600, { uid: 0, gid: 0 }),
      'bad',
      /www-data cannot read/,
    ],
    ['a configuration of root’s and the group', entry('/c', 'config', 0o640, { uid: 0 }), 'ok', /./],
    ['a configuration that everybody may read', entry('/c', 'config', 0o644, { uid: 0, gid: 0 }), 'ok', /./],
    [
      'a database that the application cannot write',
      entry('/m', 'file', 0o640),
      'warn',
      /the group edokumenty cannot write/,
    ],
  ] as const)('%s', (_, one, state, text) => {
    const [finding] = judgePermissions([...sound, one], owner);
    expect(finding).toMatchObject({ state, found: expect.stringMatching(text) });
  });
  it.each([
    ['/', true],
    ['/run', true],
    ['/var/log', true],
    ['/tmp', true],
    ['/home/anna', true],
    ['/run/backproc', false],
    ['/var/lib/backproc', false],
    ['/home/anna/mail', false],
    ['/mail', false],
  ])('a folder of the system’s is not ours alone: %s, %s', (path, shared) => {
    expect(isShared(path)).toBe(shared);
  });
  it('of a folder that other programs use are left alone, and it is told', () => {
    const run = entry('/run', 'shared', 0o755, { uid: 0, gid: 0 });
    expect(judgePermissions([...sound, run], owner)).toMatchObject([
      { state: 'warn', found: expect.stringContaining('/run'), todo: expect.not.stringContaining('--repair') },
    ]);
    expect(planRepairs([...sound, run], owner)).toEqual([]);
  });
  it.each([
    ['in one of root’s', 0o755, { uid: 0, gid: 0 }, 'bad'],
    ['in one of the group’s', 0o2770, { uid: 0 }, 'ok'],
    ['in one of everybody’s', 0o1777, { uid: 0, gid: 0 }, 'ok'],
    ['in one of the engine’s', 0o700, {}, 'ok'],
  ] as const)('tell of a folder that is not there and cannot be made: %s', (_, mode, more, state) => {
    const missing = entry('/srv/mail/store', 'missing', mode, more);
    const [finding] = judgePermissions([...sound, missing], owner);
    expect(finding).toMatchObject({ state });
    if (state === 'bad') expect(finding?.found).toBe('www-data cannot make /srv/mail/store');
    else expect(finding?.found).toMatch(/^4 folders/);
    expect(planRepairs([...sound, missing], owner)).toEqual([]);
    expect(judgePermissions([missing], { ...owner, uid: 0 })[0]?.state).toBe('ok');
  });
  it('name three of many', () => {
    const many = Array.from({ length: 10 }, (_, index) => entry(`/logs/${index}`, 'file', 0o664));
    expect(judgePermissions(many, owner)[0]?.found).toMatch(/\/logs\/2 and 7 more$/);
  });
});

describe('a repair', () => {
  const anyEntry: fc.Arbitrary<Entry> = fc.record({
    path: fc.constantFrom('/a', '/b'),
    kind: fc.constantFrom('folder' as const, 'file' as const, 'key' as const),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.constantFrom(0, 33, 1000),
    gid: fc.constantFrom(0, 1001),
  });
  it('leaves nothing to find, touches nothing that was well, and opens nothing to others', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { maxLength: 6 }), (entries) => {
        const repairs = planRepairs(entries, owner);
        const isWell = judgePermissions(entries, owner).every(({ state }) => state === 'ok');
        expect(repairs.length === 0).toBe(isWell);
        for (const one of entries) {
          const [plan] = planRepairs([one], owner);
          if (!plan) continue;
          expect(judgePermissions([{ ...one, ...plan }], owner)[0]?.state).toBe('ok');
          expect(plan.mode & 0o007).toBe(0);
          if (one.kind === 'key') expect(plan.mode).toBe(0o600);
        }
      }),
    );
  });
});
