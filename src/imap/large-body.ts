/**
 * One large body in parts. The announced size (RFC822.SIZE) is only a hint: servers were seen to say 0, too little and too
 * much; what counts is the bytes that came. A part at a time bounds the memory of parser and socket.
 */
import type { ImapFlow } from 'imapflow';
import { EngineError } from '../base/errors.ts';
import { divertRows, type RowBounds } from './divert-rows.ts';
import type { BodyPart } from './fetch-items.ts';
import { originOf } from './internals.ts';
import { toBodyRow } from './rows.ts';
import type { BodyRow } from './session.ts';
import { unlessRefused } from './unless-refused.ts';

/** A round trip for each: 4 MiB hides 40 ms on any link up to 1 Gbit/s. */
const partBytes = 4 * 1024 * 1024;

export interface LargeBodyInput {
  readonly client: ImapFlow;
  readonly run: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  readonly bounds: RowBounds;
  readonly uid: number;
  readonly bytesMax: number;
}

/** Undefined: the message is gone. Throws message_too_large. */
export async function fetchLargeBody(input: LargeBodyInput): Promise<BodyRow | undefined> {
  const { client, run, uid, bytesMax } = input;
  const about = await run('FETCH SIZE', () =>
    client.fetchOne(`${uid}`, { uid: true, flags: true, internalDate: true, size: true }, { uid: true }),
  );
  if (!about || about.uid !== uid) return undefined;
  const announced = about.size ?? 0;
  if (announced > bytesMax && (await isBeyond(input)))
    throw new EngineError('message_too_large', `UID ${uid}: ${announced} bytes`);
  let body: Buffer = Buffer.allocUnsafeSlow(Math.max(Math.min(announced, bytesMax), partBytes));
  let length = 0;
  for (;;) {
    const part = await fetchPart(input, length, partBytes);
    // Past the end a server sends an empty string; NIL says that the message is gone, however much of it came before.
    if (part === undefined) return undefined;
    const { bytes, origin } = part;
    if (origin === undefined && isSameAgain(body.subarray(0, length), bytes)) break;
    if ((origin ?? length) !== length || (length > 0 && bytes.length > partBytes))
      throw new EngineError('command_refused', `FETCH part: bytes from ${origin ?? 0} on, and not from ${length} on`);
    if (length + bytes.length > bytesMax)
      throw new EngineError('message_too_large', `UID ${uid}: more than ${bytesMax} bytes`);
    body = withRoom(body, length, bytes.length);
    bytes.copy(body, length);
    length += bytes.length;
    // More than a part is the whole message, of a server that gives no parts.
    if (bytes.length > partBytes || isLastPart(bytes.length, length, announced)) break;
  }
  return toBodyRow(about, length === body.length ? body : trimmed(body, length));
}

/** In the place of a part. */
const wholeOf = (bytes: Buffer | undefined): BodyPart | undefined => bytes && { bytes, origin: undefined };

/** Read by our own reader: the library's takes a quoted string for UTF-8, which other bytes do not outlive. */
async function fetchPart({ client, run, bounds, uid }: LargeBodyInput, start: number, maxLength: number) {
  let part: BodyPart | undefined;
  const read = async (): Promise<void> => {
    const diversion = divertRows(client, { bounds, stopwatch: null, commandCount: 1 }, (items) => {
      if ((items.uid ?? uid) === uid) part = items.part ?? wholeOf(items.source) ?? part;
    });
    try {
      const query = { uid: true, source: { start, maxLength } };
      const message = await client.fetchOne(`${uid}`, query, { uid: true });
      diversion.throwIfFailed();
      if (message && Buffer.isBuffer(message.source)) part ??= { bytes: message.source, origin: originOf(message) };
    } catch (error) {
      diversion.throwIfFailed();
      throw error;
    } finally {
      diversion.end();
    }
  };
  await run('FETCH part', read);
  return part;
}

/** The whole message, of a server that gives no parts, and says that there is more. */
const isSameAgain = (before: Buffer, bytes: Buffer): boolean => bytes.length > 0 && before.equals(bytes);

/** The announced size is no reason to go without a message: the byte after the last that it may have decides, where it can be had. */
const isBeyond = async (input: LargeBodyInput): Promise<boolean> =>
  (await unlessRefused(fetchPart(input, input.bytesMax, 1)))?.bytes.length !== 0;

/** Some servers send less at once than they were asked for, and some announce more than there is. */
const isLastPart = (bytes: number, length: number, announced: number): boolean =>
  bytes === 0 || (bytes < partBytes && length >= announced);

function withRoom(body: Buffer, length: number, more: number): Buffer {
  if (length + more <= body.length) return body;
  const larger = Buffer.allocUnsafeSlow(Math.max(length + more, body.length + partBytes));
  body.copy(larger, 0, 0, length);
  return larger;
}

/** A Buffer of exactly this length owns its memory alone, so that it can be handed to another thread without a copy. */
function trimmed(body: Buffer, length: number): Buffer {
  const exact = Buffer.allocUnsafeSlow(length);
  body.copy(exact, 0, 0, length);
  return exact;
}
