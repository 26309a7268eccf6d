/** Collects UIDs that come one by one, in order, as ranges: `VANISHED 1:16777216` is 24 bytes and 16 million calls. */
import { isUid, type UidRange, type UidSet, uidSetOfRanges } from '../base/uid-set.ts';

export interface VanishedRanges {
  add(uid: number): void;
  take(): UidSet;
}

export function collectVanished(): VanishedRanges {
  let ranges: UidRange[] = [];
  let first = 0;
  let last = 0;
  const close = (): void => {
    if (first > 0) ranges.push([first, last]);
  };
  return {
    add(uid) {
      if (!isUid(uid)) return;
      if (first > 0 && uid === last + 1) {
        last = uid;
        return;
      }
      close();
      first = uid;
      last = uid;
    },
    take() {
      close();
      const set = uidSetOfRanges(ranges);
      ranges = [];
      first = 0;
      last = 0;
      return set;
    },
  };
}
