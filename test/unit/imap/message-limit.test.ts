import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasUid, parseUidSet, type UidSet, uidSetOf } from '../../../src/base/uid-set.ts';
import { createMessageLimit } from '../../../src/imap/message-limit.ts';
import type { Asked } from '../../../src/imap/uid-ranges.ts';

const answer = (...code: readonly string[]): unknown => ({
  response: { attributes: [{ section: code.map((value) => ({ value })) }, { value: 'done' }] },
});
const plain = { response: { attributes: [{ value: 'done' }] } };

/** Asks a server that looks at `most` of `there` at a time; what it was asked for, and what came. */
async function askFor(uids: Asked, there: readonly number[], most: number): Promise<{ sets: string[]; got: number[] }> {
  let unread = 0;
  const limit = createMessageLimit(() => (unread += 1));
  const sets: string[] = [];
  const got: number[] = [];
  await limit.askAll(uids, async (set) => {
    sets.push(set);
    const asked = parseUidSet(set.replace('*', '4294967295'));
    const looked = there.filter((uid) => hasUid(asked, uid));
    const kept = looked.slice(-most);
    got.push(...kept);
    limit.noteAnswer(kept.length < looked.length ? answer('MESSAGELIMIT', `${most}`, `${kept[0]}`) : plain);
  });
  expect(unread).toBe(0);
  return { sets, got };
}

const uid = fc.integer({ min: 1, max: 200 });
const folders = fc.uniqueArray(uid, { maxLength: 60 }).map((uids) => uids.toSorted((a, b) => a - b));
const wanted: fc.Arbitrary<Asked> = fc.oneof(
  uid.map((first) => ({ first })),
  fc.array(uid).map((uids) => uidSetOf(uids)),
);

describe('a limit of messages', () => {
  it('keeps nothing back, and nothing comes twice', async () => {
    await fc.assert(
      fc.asyncProperty(wanted, folders, fc.integer({ min: 1, max: 70 }), async (uids, there, most) => {
        const { got } = await askFor(uids, there, most);
        const isWanted = (one: number): boolean => ('first' in uids ? one >= uids.first : hasUid(uids as UidSet, one));
        expect(got.toSorted((a, b) => a - b)).toEqual(there.filter(isWanted));
      }),
    );
  });

  it('asks for what is below, as often as it takes', async () => {
    const there = [1, 2, 3, 5, 8, 9];
    expect((await askFor({ first: 2 }, there, 2)).sets).toEqual(['2:*', '2:7', '2']);
    expect(
      (
        await askFor(
          [
            [1, 3],
            [8, 8],
          ],
          there,
          3,
        )
      ).sets,
    ).toEqual(['1:3,8', '1']);
    expect((await askFor({ first: 1 }, there, 6)).sets).toEqual(['1:*']);
  });

  it.each([
    ['without saying how far it went', ['MESSAGELIMIT', '100']],
    ['down to no UID', ['MESSAGELIMIT', '100', '0']],
    ['above all that was asked for', ['MESSAGELIMIT', '100', '4000']],
  ])('%s is something that could not be read, once', async (_, code) => {
    let unread = 0;
    const limit = createMessageLimit(() => (unread += 1));
    let count = 0;
    const ask = async (): Promise<void> => {
      count += 1;
      limit.noteAnswer(answer(...code));
    };
    await limit.askAll([[1, 100]], ask);
    expect([count, unread, limit.isCut]).toEqual([1, 1, true]);
  });

  it('that comes down one UID at a time ends', async () => {
    let unread = 0;
    let next = 4_294_967_295;
    const limit = createMessageLimit(() => (unread += 1));
    await limit.askAll({ first: 1 }, async () => limit.noteAnswer(answer('messagelimit', '1', `${next--}`)));
    expect([4_294_967_295 - next, unread]).toEqual([10_001, 1]);
  });

  it('is none where nobody speaks of it', () => {
    const limit = createMessageLimit(() => undefined);
    for (const other of [
      undefined,
      null,
      'OK',
      {},
      plain,
      answer('READ-ONLY'),
      answer(),
      { response: { attributes: [] } },
    ]) {
      limit.noteAnswer(other);
      expect(limit.isCut).toBe(false);
    }
  });
});
