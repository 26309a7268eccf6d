/** One part of a message as a file: its content decoded, in its own charset. */

import type { PartFields } from './part-fields.ts';
import { type Part, readPartTree } from './part-tree.ts';
import { createAllowance, readLimits } from './read-limits.ts';
import { decodeBody } from './transfer-encoding.ts';

export interface ExportedPart {
  readonly bytes: Buffer;
  readonly fields: PartFields;
}

/** `number` as email_attachments.part says. Undefined: no such part. A multipart is given as it stands, a message whole. */
export function partWithFields(raw: Buffer, number: string): ExportedPart | undefined {
  const tree = readPartTree(raw, createAllowance({ ...readLimits, messageMs: Number.POSITIVE_INFINITY }));
  const part = findPart(tree, number);
  return part && { bytes: decodeBody(raw, part), fields: part.fields };
}

export const exportPart = (raw: Buffer, number: string): Buffer | undefined => partWithFields(raw, number)?.bytes;

function findPart(part: Part, number: string): Part | undefined {
  if (part.number === number) return part;
  for (const child of part.children) {
    const found = findPart(child, number);
    if (found) return found;
  }
  return undefined;
}
