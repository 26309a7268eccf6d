/** UID sets as command arguments: bounded lines, because servers limit them (8 KB at some). Pure. */
import { formatUidSet, type UidRange, type UidSet } from '../base/uid-set.ts';

const lineCharsMax = 4000;

/** An empty set makes no command at all. */
export function toCommandSets(uids: UidSet | { readonly first: number }): string[] {
  if ('first' in uids) return [`${uids.first}:*`];
  const lines: string[] = [];
  let line: UidRange[] = [];
  let length = 0;
  for (const range of uids) {
    const size = formatUidSet([range]).length + 1;
    if (length + size > lineCharsMax) {
      lines.push(formatUidSet(line));
      line = [];
      length = 0;
    }
    line.push(range);
    length += size;
  }
  if (line.length > 0) lines.push(formatUidSet(line));
  return lines;
}
