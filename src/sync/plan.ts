/**
 * Decides what one folder needs. Pure: no I/O, no clock. A changed UIDVALIDITY makes every other number meaningless
 * (RFC 9051 2.3.1.1), so it is tested first. Counts decide last: a delta whose sum is wrong becomes a scan, so that no
 * server can lose us a deletion by keeping silent about it.
 */

/** `refetch`: a full pass that asks for every message again, and lets the bytes decide. */
export type PassKind = 'recent' | 'full' | 'refetch';

/** The numbers of a folder row that a decision needs. */
export interface StoredNumbers {
  readonly uidValidity: number | null;
  readonly uidNext: number | null;
  readonly highestModseq: bigint | null;
  readonly messageCount: number | null;
  readonly unseenCount: number | null;
  readonly isFirstSynced: boolean;
  /** UIDs listed and not yet settled, and quarantined ones whose retry is due. */
  readonly pendingCount: number;
}

/** The same numbers as the server tells them, by STATUS or on opening. */
export interface ObservedNumbers {
  readonly uidValidity: number | null;
  readonly uidNext: number | null;
  readonly highestModseq: bigint | null;
  readonly messages: number;
  readonly unseen: number | null;
}

export type Plan =
  /** Nothing changed, nothing is left to do: the folder is not even opened. */
  | { readonly step: 'skip' }
  /** Never listed: all its UIDs, newest first. */
  | { readonly step: 'new' }
  /** New UIDs above the highest listed; flags changed since `flagsSince` (null: not asked for). */
  | { readonly step: 'delta'; readonly flagsSince: bigint | null }
  /** The whole UID set and every flag against what is stored. */
  | { readonly step: 'scan'; readonly because: string }
  /** Another UIDVALIDITY: match again by identity. */
  | { readonly step: 'reset' };

/** Before opening: can this folder be left alone? `observed` null: the server gave no STATUS, so it must be opened. */
export function planVisit(stored: StoredNumbers, observed: ObservedNumbers | null, kind: PassKind): Plan {
  if (observed === null) return planOpened(stored, { ...unknown, uidValidity: stored.uidValidity }, kind);
  const plan = planOpened(stored, observed, kind);
  return plan.step === 'delta' && isUnchanged(stored, observed) ? { step: 'skip' } : plan;
}

const unknown: ObservedNumbers = { uidValidity: null, uidNext: null, highestModseq: null, messages: 0, unseen: null };

function isUnchanged(stored: StoredNumbers, observed: ObservedNumbers): boolean {
  return (
    stored.pendingCount === 0 &&
    observed.uidNext !== null &&
    observed.uidNext === stored.uidNext &&
    observed.messages === stored.messageCount &&
    observed.highestModseq === stored.highestModseq &&
    (observed.unseen === null || observed.unseen === stored.unseenCount)
  );
}

/** After opening, or as a forecast from STATUS (`sync --dry-run`). Never `skip`. */
export function planOpened(stored: StoredNumbers, observed: ObservedNumbers, kind: PassKind): Plan {
  if (stored.uidValidity === null) return { step: 'new' };
  if (observed.uidValidity !== null && observed.uidValidity !== stored.uidValidity) return { step: 'reset' };
  if (kind !== 'recent' && !isResumed(stored)) return { step: 'scan', because: `${kind} sync` };
  return planRecent(stored, observed);
}

function planRecent(stored: StoredNumbers, observed: ObservedNumbers): Plan {
  const modseq = observed.highestModseq;
  if (modseq === null) return planWithoutModseq(stored, observed);
  // The first look that has MODSEQ at all, and a MODSEQ that went back (RFC 7162 3.1.2.1), leave no starting point for flags.
  if (stored.highestModseq === null) return { step: 'scan', because: 'no MODSEQ stored yet' };
  if (modseq < stored.highestModseq) return { step: 'scan', because: 'MODSEQ went back' };
  return delta(modseq === stored.highestModseq ? null : stored.highestModseq);
}

/** A first sync that was interrupted, or gave others their turn: first the rest, then a whole look where one is owed. */
const isResumed = (stored: StoredNumbers): boolean => !stored.isFirstSynced && stored.pendingCount > 0;

/**
 * What an interrupted first sync has stored was never compared again: without MODSEQ nobody knows which flags changed, so the
 * pass that ends it owes a scan. A full pass does, too.
 */
export const owesScan = (stored: StoredNumbers, observed: ObservedNumbers, kind: PassKind): boolean =>
  stored.uidValidity === observed.uidValidity &&
  !stored.isFirstSynced &&
  (observed.highestModseq === null || kind !== 'recent');

/** Without CONDSTORE a change of flags shows, if at all, in the number of unseen messages. */
function planWithoutModseq(stored: StoredNumbers, observed: ObservedNumbers): Plan {
  if (!stored.isFirstSynced && !isResumed(stored)) return { step: 'scan', because: 'the first sync was interrupted' };
  const unseenMoved = observed.unseen !== null && stored.unseenCount !== null && observed.unseen !== stored.unseenCount;
  return unseenMoved && stored.isFirstSynced
    ? { step: 'scan', because: 'the number of unseen messages changed' }
    : delta(null);
}

const delta = (flagsSince: bigint | null): Plan => ({ step: 'delta', flagsSince });

/** More than this many **and** more than this share of a folder's live rows vanished at once: hold them (DESIGN.md, deletion brake). */
export const brakeCount = 500;
export const brakeShare = 0.2;
/** Two equal complete listings this far apart release the brake. */
export const brakeReleaseMs = 24 * 60 * 60 * 1000;

export interface BrakeInput {
  /** Live rows the server no longer lists, without those found elsewhere in the account. */
  readonly vanishedCount: number;
  readonly liveCount: number;
  readonly role: string | null;
  /** Digest of this complete listing, and of the one that pulled the brake. */
  readonly digest: string;
  readonly heldDigest: string | null;
  readonly heldSinceMs: number | null;
  readonly nowMs: number;
}

export function holdsDeletions(input: BrakeInput): boolean {
  if (input.role === 'trash' || input.role === 'junk') return false;
  if (input.vanishedCount <= brakeCount || input.vanishedCount <= input.liveCount * brakeShare) return false;
  const isSameListing = input.heldDigest === input.digest && input.heldSinceMs !== null;
  return !(isSameListing && input.nowMs - (input.heldSinceMs ?? 0) >= brakeReleaseMs);
}

export const vanishedTrustNeeded = 3;

/** `incomplete`: more was missing than named, which a deletion after the answer explains. `wrong`: named what is still there. */
export type VanishedVerdict = 'equal' | 'incomplete' | 'wrong';

/** After an answer of VANISHED could be compared with a full listing. -1 is for ever: one lie is enough. */
export function nextVanishedTrust(trust: number, verdict: VanishedVerdict): number {
  if (trust < 0 || verdict === 'wrong') return -1;
  return verdict === 'incomplete' ? 0 : Math.min(vanishedTrustNeeded, trust + 1);
}
