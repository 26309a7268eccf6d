/**
 * A set of UIDs as sorted, disjoint, non-touching ranges (RFC 9051 sequence-set without `*`). Pure and immutable.
 * It is what checkpoints, listings and windows are made of: a folder of 100,000 messages is a handful of ranges.
 */

/** First and last UID, both included. */
export type UidRange = readonly [first: number, last: number];
export type UidSet = readonly UidRange[];

export const emptyUidSet: UidSet = [];
/** RFC 9051: a UID is a non-zero unsigned 32-bit number. */
export const uidMax = 4_294_967_295;

export const isUid = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= uidMax;

/** Any order and repetition; what is no UID is left out. */
export function uidSetOf(uids: Iterable<number>): UidSet {
  const sorted = Float64Array.from(uids).filter(isUid).sort();
  const ranges: [number, number][] = [];
  for (const uid of sorted) extend(ranges, uid, uid);
  return ranges;
}

/** Ranges in any order, overlapping or not. */
export function uidSetOfRanges(ranges: Iterable<UidRange>): UidSet {
  const sorted = [...ranges].filter(([first, last]) => first <= last).sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) extend(merged, first, last);
  return merged;
}

/** Appends first..last to ranges that end no later than its start, melting what overlaps or touches. */
function extend(ranges: [number, number][], first: number, last: number): void {
  const tail = ranges.at(-1);
  if (tail && first <= tail[1] + 1) tail[1] = Math.max(tail[1], last);
  else ranges.push([first, last]);
}

/** `1:5,9` as RFC 9051 writes it; `*` and 0 are not ours. Throws RangeError on anything else. */
export function parseUidSet(text: string): UidSet {
  if (text === '') return emptyUidSet;
  return uidSetOfRanges(text.split(',').map(parseRange));
}

function parseRange(text: string): UidRange {
  const match = /^(\d+)(?::(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!isUid(first) || !isUid(last)) throw new RangeError(`not a UID range: ${JSON.stringify(text)}`);
  return first <= last ? [first, last] : [last, first];
}

export function formatUidSet(set: UidSet): string {
  return set.map(([first, last]) => (first === last ? `${first}` : `${first}:${last}`)).join(',');
}

export function uidCount(set: UidSet): number {
  return set.reduce((count, [first, last]) => count + last - first + 1, 0);
}

export function highestUid(set: UidSet): number {
  return set.at(-1)?.[1] ?? 0;
}

export function hasUid(set: UidSet, uid: number): boolean {
  let low = 0;
  let high = set.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [first, last] = set[middle] as UidRange;
    if (uid < first) high = middle - 1;
    else if (uid > last) low = middle + 1;
    else return true;
  }
  return false;
}

export function unionUids(a: UidSet, b: UidSet): UidSet {
  return uidSetOfRanges([...a, ...b]);
}

/** What is in `a` and not in `b`. */
export function subtractUids(a: UidSet, b: UidSet): UidSet {
  const ranges: UidRange[] = [];
  let next = 0;
  for (const [first, last] of a) {
    let start = first;
    while (next < b.length && (b[next] as UidRange)[1] < start) next += 1;
    for (let index = next; index < b.length && (b[index] as UidRange)[0] <= last; index += 1) {
      const [holeFirst, holeLast] = b[index] as UidRange;
      if (holeFirst > start) ranges.push([start, holeFirst - 1]);
      start = Math.max(start, holeLast + 1);
    }
    if (start <= last) ranges.push([start, last]);
  }
  return ranges;
}

export function intersectUids(a: UidSet, b: UidSet): UidSet {
  return subtractUids(a, subtractUids(a, b));
}

export function* uidsAscending(set: UidSet): Generator<number> {
  for (const [first, last] of set) for (let uid = first; uid <= last; uid += 1) yield uid;
}

/** The `count` highest UIDs. */
export function highestUids(set: UidSet, count: number): UidSet {
  const ranges: UidRange[] = [];
  let wanted = count;
  for (let index = set.length - 1; index >= 0 && wanted > 0; index -= 1) {
    const [first, last] = set[index] as UidRange;
    const start = Math.max(first, last - wanted + 1);
    ranges.unshift([start, last]);
    wanted -= last - start + 1;
  }
  return ranges;
}
