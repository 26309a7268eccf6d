/**
 * One large body in parts. The announced size (RFC822.SIZE) is only a hint: servers were seen to say 0, too little and too
 * much; what counts is the bytes that came. A part at a time bounds the memory of parser and socket.
 */
import type { ImapFlow } from 'imapflow';
import { EngineError } from '../base/errors.ts';
import { toBodyRow } from './rows.ts';
import type { BodyRow } from './session.ts';

/** A round trip for each: 4 MiB hides 40 ms on any link up to 1 Gbit/s. */
const partBytes = 4 * 1024 * 1024;

export interface LargeBodyInput {
  readonly client: ImapFlow;
  readonly run: <T>(what: string, work: () => Promise<T>) => Promise<T>;
  readonly uid: number;
  readonly bytesMax: number;
}

/** Undefined: the message is gone. Throws message_too_large. */
export async function fetchLargeBody({ client, run, uid, bytesMax }: LargeBodyInput): Promise<BodyRow | undefined> {
  const about = await run('FETCH SIZE', () =>
    client.fetchOne(`${uid}`, { uid: true, flags: true, internalDate: true, size: true }, { uid: true }),
  );
  if (!about || about.uid !== uid) return undefined;
  const announced = about.size ?? 0;
  if (announced > bytesMax) throw new EngineError('message_too_large', `UID ${uid}: ${announced} bytes`);
  let body: Buffer = Buffer.allocUnsafeSlow(Math.max(announced, partBytes));
  let length = 0;
  for (;;) {
    const part = await run('FETCH part', () =>
      client.fetchOne(`${uid}`, { uid: true, source: { start: length, maxLength: partBytes } }, { uid: true }),
    );
    // Past the end a server sends an empty string; NIL says that the message is gone, however much of it came before.
    if (!part || !Buffer.isBuffer(part.source)) return undefined;
    const bytes = part.source;
    if (length + bytes.length > bytesMax)
      throw new EngineError('message_too_large', `UID ${uid}: more than ${bytesMax} bytes`);
    body = withRoom(body, length, bytes.length);
    bytes.copy(body, length);
    length += bytes.length;
    if (isLastPart(bytes.length, length, announced)) break;
  }
  return toBodyRow(about, length === body.length ? body : trimmed(body, length));
}

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
