/** What the pieces of a filing task share: the store, the clock, one connection on demand, and where Sent is. */
import { logInWith } from '../base/credentials.ts';
import { EngineError } from '../base/errors.ts';
import type { FilingSession, HeaderWish } from '../imap/filing.ts';
import type { FolderListing } from '../imap/session.ts';
import type { FollowUp } from '../store/outbox-entry.ts';
import type { Store } from '../store/store.ts';
import type { SendingAccount } from './account.ts';
import { ownHeader } from './compose-input.ts';
import type { FilingMode } from './sent-copy.ts';
import type { FilePorts, OutboxLog, OutboxSettings } from './task.ts';

export interface Desk {
  readonly store: Store;
  readonly log: OutboxLog;
  readonly settings: OutboxSettings;
  mode: FilingMode;
  instantIn(ms: number): string;
  session(): Promise<FilingSession>;
  /** Null: the account has none that could be found. */
  sentFolder(): Promise<string | null>;
  /** The same, made where there is none: as any mail program does with its first copy. */
  makeSentFolder(): Promise<string>;
  close(): Promise<void>;
}

/** Nothing large is read here. */
const literalBytesMax = 1024 * 1024;

export function createDesk(ports: FilePorts, account: SendingAccount, mode: FilingMode): Desk {
  let opened: FilingSession | null = null;
  let sent: string | null | undefined;
  const session = async (): Promise<FilingSession> => {
    opened ??= await openFor(ports, account);
    return opened;
  };
  return {
    store: ports.store,
    log: ports.log,
    settings: ports.settings,
    mode,
    instantIn: (ms) => new Date(ports.clock().getTime() + ms).toISOString(),
    session,
    async sentFolder() {
      sent ??= (await storedSent(ports.store, account.acntid)) ?? (await listedSent(await session()));
      return sent;
    },
    async makeSentFolder() {
      sent ??= await createSent(await session());
      return sent;
    },
    async close() {
      await opened?.close();
    },
  };
}

function openFor(ports: FilePorts, { acntid, imap }: SendingAccount): Promise<FilingSession> {
  const { networkTimeoutMs } = ports.settings;
  return logInWith(ports.credentialsOf, { acntid, protocol: 'imap' }, (credentials) =>
    ports.openFiling({
      ...imap,
      credentials,
      link: ports.linkTo(imap.host),
      wireNames: new Map(),
      literalBytesMax,
      room: null,
      commandTimeoutMs: networkTimeoutMs,
      transferTimeoutMsPerMib: networkTimeoutMs,
      signal: ports.signal,
      onWarning: (text) => ports.log.warn(text, { acntid }),
    }),
  );
}

async function storedSent(store: Store, acntid: number): Promise<string | null> {
  const folders = await store.folders(acntid);
  return folders.find(({ role, isSelectable }) => role === 'sent' && isSelectable)?.path ?? null;
}

/** An account that was never synchronised. */
async function listedSent(session: FilingSession): Promise<string | null> {
  const listing = await session.listFolders();
  const sent = listing.folders.find(({ role, isSelectable }) => role === 'sent' && isSelectable);
  if (!sent) throwIfIncomplete(listing);
  return sent?.path ?? null;
}

/** The folder may be there, with the copy in it. */
function throwIfIncomplete({ isComplete }: FolderListing): void {
  if (isComplete) return;
  throw new EngineError('protocol_violation', 'the list of folders was not read in full', { scope: 'folder' });
}

/** Beside the others: some servers keep everything below INBOX. */
async function createSent(session: FilingSession): Promise<string> {
  const listing = await session.listFolders();
  throwIfIncomplete(listing);
  const { folders } = listing;
  const below = folders.filter(({ path }) => path !== 'INBOX');
  const delimiter = folders.find(({ path }) => path === 'INBOX')?.delimiter ?? '/';
  const prefix = `INBOX${delimiter}`;
  const isBelowInbox = below.length > 0 && below.every(({ path }) => path.startsWith(prefix));
  const path = isBelowInbox ? `${prefix}Sent` : 'Sent';
  await session.createFolder(path);
  return path;
}

const dayMs = 24 * 60 * 60_000;

/** Servers and we may be in different days, and the attempt may have been made by a clock that was ahead. */
export function searchedSince(desk: Desk, { attemptedAt }: FollowUp): Date {
  const nowMs = Date.parse(desk.instantIn(0));
  return new Date(Math.min(nowMs, attemptedAt === null ? nowMs : Date.parse(attemptedAt)) - 2 * dayMs);
}

/** Our Message-ID; where a server has replaced it, our own header; and where Exchange keeps the original. */
export function headersOf({ messageIdHeader, xBackprocId }: FollowUp): HeaderWish[] {
  return [
    ...(messageIdHeader === null ? [] : [{ name: 'Message-ID', value: messageIdHeader }]),
    ...(xBackprocId === null ? [] : [{ name: ownHeader, value: xBackprocId }]),
    ...(messageIdHeader === null ? [] : [{ name: 'X-Microsoft-Original-Message-ID', value: messageIdHeader }]),
  ];
}
