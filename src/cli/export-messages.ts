/** The live messages of an account or folder with their bytes, one by one: what both kinds of export write. */
import type { ExportRow } from '../store/reading.ts';
import type { Store } from '../store/store.ts';

export interface ExportScope {
  readonly acntid: number;
  readonly emfdid?: number;
}

export type ExportStep = (count: number) => void;

const pageRows = 500;

export async function* exportedMessages(
  store: Store,
  scope: ExportScope,
): AsyncGenerator<{ readonly row: ExportRow; readonly raw: Buffer }> {
  for await (const row of exportedRows(store, scope)) {
    const raw = await store.raw(row.id);
    if (raw) yield { row, raw: Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength) };
  }
}

export async function* exportedRows(store: Store, scope: ExportScope): AsyncGenerator<ExportRow> {
  let afterId = 0;
  for (;;) {
    const rows = await store.exportRows({ ...scope, afterId, limit: pageRows });
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < pageRows) return;
    afterId = last.id;
  }
}
