/**
 * Is it all there? The ledger recounts what the store says about itself; `deep` also asks the server for every UID, every
 * flag and every byte. Writes nothing.
 */
import { hash } from 'node:crypto';
import { EngineError } from '../base/errors.ts';
import { subtractUids, uidSetOf, uidsAscending } from '../base/uid-set.ts';
import type { ImapSession } from '../imap/session.ts';
import type { LedgerRow, Store, StoredDigest } from '../store/store.ts';
import { bulkBytesMax } from './fetch-window.ts';

export interface VerifyRow extends LedgerRow {
  /** serverCount − (stored − held + quarantined + excluded + pending); null: no pass has ended yet. */
  readonly difference: number | null;
  /** Only with deep. */
  readonly deep: DeepResult | null;
  /** Why `deep` could not look into this folder; the others are compared all the same. */
  readonly failure: string | null;
}

export interface DeepResult {
  /** On the server and neither stored nor quarantined. */
  readonly missing: readonly number[];
  /** Stored live, and not on the server. */
  readonly invented: readonly number[];
  readonly wrongFlags: readonly number[];
  readonly wrongBytes: readonly number[];
}

export function toVerifyRow(row: LedgerRow, deep: DeepResult | null, failure: string | null = null): VerifyRow {
  const { serverCount, storedCount, heldCount, quarantinedCount, excludedCount, pendingCount } = row;
  const difference =
    serverCount === null
      ? null
      : serverCount - (storedCount - heldCount + quarantinedCount + excludedCount + pendingCount);
  return { ...row, difference, deep, failure };
}

/** A full sync puts it right. A folder that was never finished differs: its mail is not all here. */
export function needsFull({ difference, pendingCount, deep }: VerifyRow): boolean {
  const deepCount = deep === null ? 0 : deep.missing.length + deep.invented.length + deep.wrongFlags.length;
  return difference !== 0 || pendingCount > 0 || deepCount > 0;
}

/** Only fetching it again puts it right. */
export const needsRefetch = ({ deep }: VerifyRow): boolean => deep !== null && deep.wrongBytes.length > 0;

/** So is a folder that cannot be opened. */
export const isDifferent = (row: VerifyRow): boolean => needsFull(row) || needsRefetch(row) || row.failure !== null;

export async function ledgerOf(store: Store, acntid: number, paths: readonly string[]): Promise<LedgerRow[]> {
  const rows = await store.ledger(acntid);
  if (paths.length === 0) return rows;
  return paths.map((path) => rows.find((row) => row.path === path) ?? unknownPath(path));
}

function unknownPath(path: string): never {
  throw new EngineError('not_found', `No folder ${JSON.stringify(path)} in this account.`);
}

/** What ends at this folder; anything wider is thrown on. */
export function folderFailure(error: unknown): string {
  if (!(error instanceof EngineError) || error.scope !== 'folder') throw error;
  return `${error.code}: ${error.detail}`;
}

/** `onProgress` is told how many bodies of the folder were compared so far. */
export async function compareDeep(
  store: Store,
  session: ImapSession,
  row: LedgerRow,
  messageBytesMax: number,
  onProgress: (count: number) => void,
): Promise<DeepResult> {
  await session.openFolder(row.path);
  const stored = new Map((await store.storedDigests(row.emfdid)).map((digest) => [digest.uid, digest]));
  const quarantined = new Set((await store.quarantine(row.emfdid)).map((entry) => entry.uid));
  const flags = new Map((await session.fetchFlags({ first: 1 })).map(({ uid, flags: text }) => [uid, text]));
  const live = [...stored.values()].filter((digest) => !digest.isHeld);
  const common = live.filter((digest) => flags.has(digest.uid));
  return {
    missing: [...flags.keys()].filter((uid) => !stored.has(uid) && !quarantined.has(uid)),
    invented: live.filter((digest) => !flags.has(digest.uid)).map((digest) => digest.uid),
    wrongFlags: common.filter((digest) => flags.get(digest.uid) !== digest.flags).map((digest) => digest.uid),
    wrongBytes: await compareBytes(session, common, messageBytesMax, onProgress),
  };
}

async function compareBytes(
  session: ImapSession,
  common: readonly StoredDigest[],
  messageBytesMax: number,
  onProgress: (count: number) => void,
): Promise<number[]> {
  const expected = new Map(common.map((digest) => [digest.uid, digest.sha256]));
  const uids = uidSetOf(expected.keys());
  const large = await session.listLarger(uids, bulkBytesMax);
  const wrong = new Set(expected.keys());
  let count = 0;
  const judge = (uid: number, raw: Buffer): void => {
    if (hash('sha256', raw, 'hex') === expected.get(uid)) wrong.delete(uid);
    count += 1;
    onProgress(count);
  };
  await session.fetchBodies(subtractUids(uids, large), (row) => judge(row.uid, row.raw));
  for (const uid of uidsAscending(large)) {
    const row = await session.fetchLargeBody(uid, messageBytesMax);
    if (row) judge(uid, row.raw);
  }
  return [...wrong];
}
