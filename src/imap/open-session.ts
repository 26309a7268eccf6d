/** ImapSession over imapflow (see session.ts for what each verb promises). */
import type { ImapFlow, MailboxObject } from 'imapflow';
import { EngineError } from '../base/errors.ts';
import { createTextPool } from '../base/text-pool.ts';
import { type UidRange, type UidSet, uidCount, uidSetOfRanges } from '../base/uid-set.ts';
import { createRunner } from './command.ts';
import { createCompression, longBodyCount, longFlagCount } from './compression.ts';
import { connect, lineBytesMax, responseSlackBytes } from './connect.ts';
import { leaveFolder, markListed } from './corrections.ts';
import type { RowBounds } from './divert-rows.ts';
import { fetchBodies } from './fetch-bodies.ts';
import { createRowFetcher } from './fetch-rows.ts';
import { fetchLargeBody } from './large-body.ts';
import { libraryName } from './library-name.ts';
import { pipelines } from './link.ts';
import { listFolders, positive } from './listing.ts';
import { openAndList } from './open-and-list.ts';
import { noteBreak } from './pipelining.ts';
import { type FlagItems, toFlagRow, toMetadataRow, toModseqOrNull } from './rows.ts';
import type { Capabilities, FlagRow, ImapSession, OpenedFolder, SessionOptions } from './session.ts';
import { createUidListing } from './uid-listing.ts';
import { unlessRefused } from './unless-refused.ts';
import { createWatching } from './watching.ts';

/** Headers of a message whose body can't be had; more than this is not kept. */
const headerBytesMax = 256 * 1024;
const logoutMs = 3000;

export async function openSession(options: SessionOptions): Promise<ImapSession> {
  let vanished: UidRange[] = [];
  let isOpening = false;
  const openedFlags: FlagRow[] = [];
  const connected = await connect(options, {
    onVanished(ranges) {
      if (isOpening) for (const range of ranges) vanished.push(range);
    },
    onClosed() {
      openedFlags.length = 0;
    },
  });
  const { client, pipeline, limit } = connected;
  let asked = connected.asked;
  const run = createRunner(options, client);
  const onChange = (items: FlagItems): void => {
    if (isOpening) openedFlags.push(toFlagRow(items));
  };
  client.on('flags', (event: { uid?: number; flags: Set<string>; modseq?: bigint }) => {
    if (event.uid !== undefined) onChange({ ...event, uid: event.uid });
  });

  let unreadBefore = 0;
  const bounds = boundsOf(options, connected.noteDropped);
  const fetcher = createRowFetcher({ client, bounds, run, limit });
  const listing = createUidListing({ client, run, fetcher, limit });
  const compression = createCompression(client, options.link, run);
  const watching = createWatching(client);

  const session: ImapSession = {
    capabilities: capabilitiesOf(client),
    roundTripMs: connected.roundTripMs,
    mechanism: connected.mechanism,
    hasAskedAhead: asked !== null,
    get unreadCount() {
      return connected.droppedCount() - unreadBefore;
    },
    get exists() {
      return client.mailbox ? client.mailbox.exists : 0;
    },
    get isUsable() {
      return client.usable;
    },
    async listFolders({ withStatus }) {
      const ahead = withStatus ? asked : null;
      asked = null;
      if (!ahead) await run('UNSELECT', () => leaveFolder(client));
      const { droppedCount } = connected;
      const { wireNames } = options;
      try {
        const listed = await listFolders({ client, withStatus, run, droppedCount, wireNames, asked: ahead });
        for (const { path, status } of listed.folders) watching.note(path, status);
        return listed;
      } catch (error) {
        if (ahead) noteBreak(client, options);
        throw error;
      }
    },
    async openFolder(path, { since, listFrom } = {}) {
      isOpening = true;
      asked = null;
      unreadBefore = connected.droppedCount();
      listing.forget();
      openedFlags.length = 0;
      vanished = [];
      const resync =
        since && client.enabled.has('QRESYNC')
          ? { uidValidity: BigInt(since.uidValidity), changedSince: since.modseq }
          : {};
      const name = libraryName(client, options.wireNames, path);
      markListed(client, name);
      const examine = () => client.mailboxOpen(name, { readOnly: true, ...resync });
      const around = { client, options, bounds, pipeline, limit, examine, onChange, onListed: listing.know };
      const listsToo = listFrom !== undefined && pipelines(options.link);
      const open = () => (listsToo ? openAndList(listFrom, around) : examine());
      const plain = () => client.mailboxOpen(name, { readOnly: true });
      const what = `EXAMINE ${path}`;
      // There are servers that announce QRESYNC and refuse it.
      const isWish = 'changedSince' in resync;
      const mailbox =
        (isWish ? await unlessRefused(run(what, open)) : undefined) ?? (await run(what, isWish ? plain : open));
      isOpening = false;
      const opened = toOpened({ ...mailbox, path }, uidSetOfRanges(vanished), openedFlags, client);
      watching.note(path, opened);
      return opened;
    },
    listUids: (range) => listing.listUids(range),
    searchUids: (range) => listing.searchUids(range),
    listLarger: (uids, bytes) => listing.listLarger(uids, bytes),
    async fetchFlags(uids, changedSince) {
      const query = { uid: true, flags: true, size: true };
      const oneOf = createTextPool();
      const toRow = (message: FlagItems): FlagRow => {
        listing.noteSize(message);
        const row = toFlagRow(message);
        return { ...row, flags: oneOf(row.flags) };
      };
      const isLong = changedSince === undefined && session.exists >= longFlagCount;
      if (isLong) await compression.prepare();
      const rows = await fetcher.flagRows({ what: 'FETCH FLAGS', uids, query, changedSince }, toRow);
      return [...rows.values()];
    },
    async fetchMetadata(uids, { withMessageId }) {
      const query = {
        uid: true,
        flags: true,
        internalDate: true,
        size: true,
        ...(withMessageId ? { headers: ['message-id'] } : {}),
      };
      return [...(await fetcher.rows({ what: 'FETCH', uids, query }, toMetadataRow)).values()];
    },
    async fetchBodies(uids, onRow) {
      const fetch = () => fetchBodies({ client, options, bounds, limit, uids, onRow });
      await (uidCount(uids) < longBodyCount ? fetch() : compression.transfer(fetch));
    },
    fetchLargeBody: (uid, bytesMax) => fetchLargeBody({ client, run, bounds, uid, bytesMax }),
    async fetchHeader(uid) {
      const message = await run('FETCH HEADER', () =>
        client.fetchOne(`${uid}`, { uid: true, headers: true }, { uid: true }),
      );
      return message && Buffer.isBuffer(message.headers) ? message.headers.subarray(0, headerBytesMax) : undefined;
    },
    async watchInbox(onStir) {
      if (client.capabilities.has('IDLE')) await watching.watch(() => session.openFolder('INBOX'), onStir);
    },
    close: () => logout(client),
    abort: () => client.close(),
  };
  return session;
}

const boundsOf = ({ literalBytesMax, room }: SessionOptions, noteUnread: RowBounds['noteUnread']): RowBounds => ({
  noteUnread,
  lineBytesMax,
  literalBytesMax,
  answerBytesMax: literalBytesMax + responseSlackBytes,
  room,
});

function capabilitiesOf(client: ImapFlow): Capabilities {
  const names = [...client.capabilities.keys()].sort();
  const has = (name: string): boolean => client.capabilities.has(name);
  return {
    hasCondstore: client.enabled.has('CONDSTORE') || client.enabled.has('QRESYNC'),
    hasQresync: client.enabled.has('QRESYNC'),
    hasObjectId: has('OBJECTID'),
    isGmail: has('X-GM-EXT-1'),
    hasUidplus: has('UIDPLUS'),
    hasIdle: has('IDLE'),
    names,
  };
}

function toOpened(mailbox: MailboxObject, vanished: UidSet, flags: readonly FlagRow[], client: ImapFlow): OpenedFolder {
  const uidValidity = positive(mailbox.uidValidity);
  if (uidValidity === null) throw new EngineError('uidvalidity_missing', mailbox.path);
  const isResynced = client.enabled.has('QRESYNC') && 'qresync' in mailbox && mailbox.qresync === true;
  return {
    uidValidity,
    uidNext: positive(mailbox.uidNext),
    messages: mailbox.exists,
    highestModseq: mailbox.noModseq === true ? null : toModseqOrNull(mailbox.highestModseq),
    mailboxId: mailbox.mailboxId ?? null,
    changes: isResynced ? { vanished, flags: [...flags] } : null,
  };
}

/** LOGOUT is a courtesy: bounded, and no failure of it matters. */
async function logout(client: ImapFlow): Promise<void> {
  const timer = setTimeout(() => client.close(), logoutMs);
  await Promise.allSettled([client.usable ? client.logout() : Promise.resolve()]);
  clearTimeout(timer);
  client.close();
}
