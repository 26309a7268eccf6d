/** What the store tests are made of: both ways to open a store, in a folder of its own, and small mails. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../../src/base/sqlite.ts';
import type { UidSet } from '../../src/base/uid-set.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { createStoreClient } from '../../src/store/sqlite/store-client.ts';
import type { StoreThread } from '../../src/store/sqlite/store-thread.ts';
import type {
  AccountSize,
  IncomingMessage,
  ListedFolder,
  ListingRecord,
  NewAccount,
  Store,
  WindowBatch,
} from '../../src/store/store.ts';
import { clearAllRemoved } from '../../src/upkeep/clear-removed.ts';
import { built } from '../support/built.ts';

export const at = '2026-11-24T12:00:00.000Z';
export const later = '2026-11-25T12:00:00.000Z';

export interface OpenedStore {
  readonly store: Store;
  readonly close: () => Promise<void>;
}

export interface StorePlace {
  readonly file: string;
  readonly keyFile: string;
  readonly remove: () => void;
}

export function makePlace(): StorePlace {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-store-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return { file: join(folder, 'store', 'mail.db'), keyFile: join(folder, 'store', 'secret.key'), remove };
}

export async function openInProcess(place: StorePlace): Promise<OpenedStore> {
  const store = await openSqliteStore(place);
  return { store, close: () => store.close() };
}

/** The thread runs the built program: a .ts file cannot be a worker's entry on Node 20. */
export async function startBuiltThread(place: StorePlace): Promise<StoreThread> {
  const path = 'store/sqlite/store-thread';
  return built<typeof import('../../src/store/sqlite/store-thread.ts')>(path).startStoreThread(place);
}

export async function openThreaded(place: StorePlace): Promise<OpenedStore> {
  const thread = await startBuiltThread(place);
  const store = await createStoreClient({ ...place, port: thread.connect() });
  return {
    store,
    async close() {
      await store.close();
      await thread.stop();
    },
  };
}

/** Looks at the tables as an application would, and leaves. */
export function select<Row>(place: StorePlace, sql: string): Row[] {
  const database = openSqlite(place.file, { timeout: 5_000 });
  try {
    return database.prepare(sql).all() as Row[];
  } finally {
    database.close();
  }
}

export function execute(place: StorePlace, sql: string): void {
  const database = openSqlite(place.file, { timeout: 5_000 });
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

export const newAccount = (email: string, more: Partial<NewAccount> = {}): NewAccount => ({
  email,
  userId: null,
  name: null,
  imap: { host: 'mail.example.com', port: 993, security: 'tls', user: email },
  smtp: null,
  allowPlaintext: false,
  password: null,
  ...more,
});

export const listedFolder = (path: string, more: Partial<ListedFolder> = {}): ListedFolder => ({
  path,
  delimiter: '/',
  role: null,
  priority: 'low',
  isSelectable: true,
  mailboxId: null,
  ...more,
});

/** An account with folders by these paths; their numbers in the same order. */
export async function makeFolders(store: Store, ...paths: string[]): Promise<{ acntid: number; emfdids: number[] }> {
  const acntid = await store.addAccount(newAccount(`u${(await store.accounts()).length}@example.com`));
  const create = paths.map((path) => listedFolder(path));
  const folders = await store.applyFolderPlan(acntid, { create, update: [], missing: [] }, at);
  return { acntid, emfdids: paths.map((path) => folders.find((folder) => folder.path === path)?.emfdid ?? 0) };
}

/** To its end, as `account remove` does. */
export async function removeAccount(store: Store, acntid: number): Promise<AccountSize> {
  const size = await store.removeAccount(acntid);
  await clearAllRemoved(store, new AbortController().signal);
  return size;
}

export function mail(uid: number, text = `mail ${uid}`, more: Partial<IncomingMessage> = {}): IncomingMessage {
  const raw = new TextEncoder().encode(`Subject: ${text}\r\n\r\n${text}\r\n`);
  return {
    uid,
    flags: '',
    internalDate: at,
    size: raw.length,
    modseq: null,
    emailId: null,
    sha256: createHash('sha256').update(raw).digest('hex'),
    raw,
    headers: {
      messageIdHeader: `<${text}@example.com>`,
      inReplyTo: null,
      references: null,
      subject: text,
      from: [{ name: 'Anna', address: 'anna@example.com' }],
      to: [],
      cc: [],
      sentAt: at,
    },
    ...more,
  };
}

export function listing(
  emfdid: number,
  listedUid: number,
  pending: UidSet,
  more: Partial<ListingRecord> = {},
): ListingRecord {
  return {
    emfdid,
    uidValidity: 7,
    listedUid,
    pending,
    flagChanges: [],
    reviveIds: [],
    vanishedIds: [],
    held: null,
    forgottenQuarantine: [],
    highestModseq: null,
    at,
    ...more,
  };
}

export function batch(
  emfdid: number,
  messages: readonly IncomingMessage[],
  more: Partial<WindowBatch> = {},
): WindowBatch {
  const settled = messages.map(({ uid }) => [uid, uid] as const).sort((a, b) => a[0] - b[0]);
  return {
    emfdid,
    uidValidity: 7,
    messages,
    placements: [],
    quarantined: [],
    settled,
    isFirstSync: false,
    day: null,
    at,
    ...more,
  };
}

/** A folder with mails 1…count stored and nothing pending. */
export async function fill(store: Store, emfdid: number, count: number): Promise<void> {
  await store.recordListing(listing(emfdid, count, [[1, count]]));
  const uids = Array.from({ length: count }, (_, index) => index + 1);
  await store.storeBatch(
    batch(
      emfdid,
      uids.map((uid) => mail(uid)),
    ),
  );
}
