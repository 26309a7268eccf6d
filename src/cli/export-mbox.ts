/** `message export --mbox FILE`: live messages into one file. It has its name only once it is complete and on the disk. */
import { existsSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { EngineError } from '../base/errors.ts';
import { mboxPiece } from '../mime/mbox.ts';
import type { Store } from '../store/store.ts';
import { type ExportScope, type ExportStep, exportedMessages } from './export-messages.ts';

/** Throws `usage` when the file exists: nothing is overwritten. */
export async function exportMbox(store: Store, scope: ExportScope, file: string, onStep: ExportStep): Promise<number> {
  if (existsSync(file)) throw new EngineError('usage', `${file} exists already.`);
  const part = `${file}.part`;
  await using handle = await open(part, 'w', 0o660);
  let count = 0;
  for await (const { row, raw } of exportedMessages(store, scope)) {
    const envelope = { sender: row.from[0]?.address ?? null, receivedAt: row.internalDate };
    await handle.writeFile(mboxPiece(raw, envelope));
    count += 1;
    onStep(count);
  }
  await handle.sync();
  await rename(part, file);
  return count;
}
