import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uidCount, uidSetOf, unionUids } from '../../src/base/uid-set.ts';
import type { Store } from '../../src/store/store.ts';
import { at, batch, listing, mail, makeFolders, makePlace, openInProcess } from './store-fixture.ts';

/** One folder as plain sets: what is live and held, what a listing covered, what is settled. */
interface Model {
  readonly live: Map<number, string>;
  readonly held: Set<number>;
  listedUid: number;
  settled: Set<number>;
}

type Step =
  | { readonly kind: 'batch'; readonly uids: number[]; readonly flags: string }
  | { readonly kind: 'vanished'; readonly uids: number[] }
  | { readonly kind: 'listing'; readonly pending: number[]; readonly gone: number[]; readonly held: number[] };

const uidMax = 12;
const uids = fc.uniqueArray(fc.integer({ min: 1, max: uidMax }), { maxLength: 6 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('batch' as const), uids, flags: fc.constantFrom('', '\\Seen') }),
    fc.record({ kind: fc.constant('vanished' as const), uids }),
    fc.record({ kind: fc.constant('listing' as const), pending: uids, gone: uids, held: uids }),
  ),
  { maxLength: 12 },
);

async function perform(store: Store, emfdid: number, model: Model, step: Step): Promise<void> {
  if (step.kind === 'batch') {
    const sorted = [...step.uids].sort((a, b) => a - b);
    const result = await store.storeBatch(
      batch(
        emfdid,
        sorted.map((uid) => mail(uid, `text ${uid % 5}`, { flags: step.flags })),
      ),
    );
    expect(result.storedCount).toBe(sorted.filter((uid) => !model.live.has(uid)).length);
    for (const uid of sorted) {
      model.live.set(uid, step.flags);
      model.held.delete(uid);
      model.settled.add(uid);
    }
  } else if (step.kind === 'vanished') {
    const changed = await store.applyVanished({ emfdid, uidValidity: 7, uids: uidSetOf(step.uids), at });
    expect(changed).toBe(step.uids.filter((uid) => model.live.has(uid)).length);
    vanish(model, step.uids);
  } else {
    const rows = (await store.storedMessages(emfdid)).filter((row) => !row.isVanished);
    const idsOf = (wanted: readonly number[]): number[] =>
      rows.filter((row) => wanted.includes(row.uid)).map((row) => row.id);
    const held = { ids: idsOf(step.held), digest: 'd', since: at };
    await store.recordListing(listing(emfdid, uidMax, uidSetOf(step.pending), { vanishedIds: idsOf(step.gone), held }));
    vanish(model, step.gone);
    model.held.clear();
    for (const uid of step.held) if (model.live.has(uid)) model.held.add(uid);
    model.listedUid = uidMax;
    model.settled = new Set(
      Array.from({ length: uidMax }, (_, index) => index + 1).filter((uid) => !step.pending.includes(uid)),
    );
  }
}

function vanish(model: Model, gone: readonly number[]): void {
  for (const uid of gone) {
    model.live.delete(uid);
    model.held.delete(uid);
  }
}

describe('random sequences of verbs', () => {
  it('leave the rows, the held count, the checkpoint and the ledger that plain sets predict', async () => {
    const place = makePlace();
    const { store, close } = await openInProcess(place);
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const { acntid, emfdids } = await makeFolders(store, 'INBOX');
        const [emfdid = 0] = emfdids;
        await store.recordListing(listing(emfdid, 0, []));
        const model: Model = { live: new Map(), held: new Set(), listedUid: 0, settled: new Set() };
        for (const step of sequence) await perform(store, emfdid, model, step);
        const rows = (await store.storedMessages(emfdid)).filter((row) => !row.isVanished);
        expect(rows.map((row) => [row.uid, row.flags])).toEqual([...model.live].sort((a, b) => a[0] - b[0]));
        expect(rows.filter((row) => row.isHeld).map((row) => row.uid)).toEqual([...model.held].sort((a, b) => a - b));
        const folder = await store.folder(emfdid);
        expect(folder?.heldCount).toBe(model.held.size);
        expect(folder?.checkpoint).toEqual(uidSetOf(model.settled));
        const pendingCount =
          model.listedUid - uidCount(uidSetOf([...model.settled].filter((uid) => uid <= model.listedUid)));
        expect(await store.ledger(acntid)).toMatchObject([
          { storedCount: model.live.size, heldCount: model.held.size, pendingCount },
        ]);
        expect(unionUids(folder?.checkpoint ?? [], [])).toEqual(folder?.checkpoint);
      }),
      { numRuns: 60 },
    );
    await close();
    place.remove();
  });
});
