/**
 * `message export --maildir DIR`: live messages into a Maildir, folders as Maildir++. A message has its name in cur/ once it is
 * written whole; one that is there already is left alone, so an export that was cut short, or made before, is only completed.
 */
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type KnownName,
  maildirBaseName,
  maildirFolderName,
  maildirInfo,
  parseMaildirName,
} from '../mime/maildir-name.ts';
import type { ExportRow } from '../store/reading.ts';
import type { Store } from '../store/store.ts';
import { type ExportScope, type ExportStep, exportedRows } from './export-messages.ts';

/** A colon is no part of a Windows file name; programs there write a semicolon. */
const infoMark = process.platform === 'win32' ? ';' : ':';

interface Maildir {
  readonly folder: string;
  /** Names in cur/ by the id of their message. */
  readonly names: Map<number, string>;
}

export async function exportMaildir(
  store: Store,
  scope: ExportScope,
  target: string,
  onStep: ExportStep,
): Promise<number> {
  const maildirs = new Map<number, Maildir>();
  let count = 0;
  for await (const row of exportedRows(store, scope)) {
    const maildir = maildirs.get(row.emfdid) ?? openMaildir(join(target, maildirFolderName(row.path, row.delimiter)));
    maildirs.set(row.emfdid, maildir);
    await place(store, maildir, row);
    count += 1;
    onStep(count);
  }
  return count;
}

function openMaildir(folder: string): Maildir {
  for (const name of ['cur', 'new', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  const known = readdirSync(join(folder, 'cur')).map((name) => [parseMaildirName(name), name] as const);
  const whole = known.filter((entry): entry is readonly [KnownName, string] => isWhole(folder, entry[0], entry[1]));
  return { folder, names: new Map(whole.map(([{ id }, name]) => [id, name])) };
}

/** The name says how long the file must be: after a power cut it may not be. */
const isWhole = (folder: string, known: KnownName | null, name: string): boolean =>
  known !== null && statSync(join(folder, 'cur', name)).size === known.bytes;

async function place(store: Store, { folder, names }: Maildir, row: ExportRow): Promise<void> {
  const info = `${infoMark}${maildirInfo(row.flags)}`;
  const there = names.get(row.id);
  if (there !== undefined) return moveTo(folder, there, `${there.replace(/[:;].*$/, '')}${info}`);
  const raw = await store.raw(row.id);
  if (!raw) return;
  const base = maildirBaseName({ id: row.id, receivedAt: row.internalDate, bytes: raw.length });
  await writeWhole(join(folder, 'tmp', base), raw);
  renameSync(join(folder, 'tmp', base), join(folder, 'cur', `${base}${info}`));
}

function moveTo(folder: string, name: string, wanted: string): void {
  if (name !== wanted) renameSync(join(folder, 'cur', name), join(folder, 'cur', wanted));
}

async function writeWhole(file: string, raw: Uint8Array): Promise<void> {
  await using handle = await open(file, 'w', 0o660);
  await handle.writeFile(raw);
}
