/**
 * Keeps the WAL bounded. SQLite empties it by itself when nobody reads; a read transaction that an application keeps open
 * prevents that, and it grows with every mail. Then we try ourselves, and say for how long it did not work and who is reading.
 * `judgeWal` is pure.
 */

/** SQLite cuts it to 64 MiB whenever it starts over (journal_size_limit): a larger one has not started over. */
const bytesMax = 64 * 1024 * 1024;
/** A backup or a long report may hold it for as long without a word. */
const quietMs = 60_000;
/** Then again whenever it lasts this much longer. */
const againMs = 600_000;

export interface WalState {
  /** Monotonic; null: not too large, or just emptied. */
  readonly largeSinceMs: number | null;
  readonly saidMs: number | null;
}

export const calmWal: WalState = { largeSinceMs: null, saidMs: null };

export interface WalVerdict {
  readonly state: WalState;
  /** `held`: warn that it could not be emptied for `seconds`. `freed`: it was warned of, and is small again. */
  readonly say: { readonly kind: 'held' | 'freed'; readonly seconds: number } | null;
}

export const isLargeWal = (bytes: number): boolean => bytes > bytesMax;

/** After a look and, if it was large, a try to empty it: `bytes` is what is left. */
export function judgeWal({ largeSinceMs, saidMs }: WalState, bytes: number, nowMs: number): WalVerdict {
  if (!isLargeWal(bytes)) {
    const seconds = Math.round((nowMs - (largeSinceMs ?? nowMs)) / 1000);
    return { state: calmWal, say: saidMs === null ? null : { kind: 'freed', seconds } };
  }
  const sinceMs = largeSinceMs ?? nowMs;
  const isTime = saidMs === null ? nowMs - sinceMs >= quietMs : nowMs - saidMs >= againMs;
  if (!isTime) return { state: { largeSinceMs: sinceMs, saidMs }, say: null };
  const seconds = Math.round((nowMs - sinceMs) / 1000);
  return { state: { largeSinceMs: sinceMs, saidMs: nowMs }, say: { kind: 'held', seconds } };
}
