/** What VANISHED names (RFC 7162 3.2.10), as the ranges that the server wrote: `1:4294967295` is two numbers, not four billion. Pure. */
import { isUid, type UidRange } from '../base/uid-set.ts';

/** Either end may come first; what is no UID is left out. */
export function vanishedRanges(text: string): UidRange[] {
  return text.split(',').flatMap((entry) => {
    const [, a, b = a] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(entry) ?? [];
    const [first, last] = [Math.min(Number(a), Number(b)), Math.max(Number(a), Number(b))];
    return isUid(first) && isUid(last) ? [[first, last] as const] : [];
  });
}
