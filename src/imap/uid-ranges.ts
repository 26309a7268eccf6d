/** UID sets as command arguments: bounded lines, because servers limit them (8 KB at some). Pure. */
import { formatUidSet, type UidRange, type UidSet } from '../base/uid-set.ts';

const lineCharsMax = 4000;

/** `first`: that UID and all above. */
export type Asked = UidSet | { readonly first: number };

/** Each of them one command's; an empty set makes none at all. */
export function toCommands(uids: Asked): Asked[] {
  if ('first' in uids) return [uids];
  const lines: UidSet[] = [];
  let line: UidRange[] = [];
  let length = 0;
  for (const range of uids) {
    const size = formatUidSet([range]).length + 1;
    if (length + size > lineCharsMax) {
      lines.push(line);
      line = [];
      length = 0;
    }
    line.push(range);
    length += size;
  }
  return line.length > 0 ? [...lines, line] : lines;
}

export const formatUids = (uids: Asked): string => ('first' in uids ? `${uids.first}:*` : formatUidSet(uids));
