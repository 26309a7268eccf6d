/** Members of imapflow 2.10.2 that are there, but not in its types. */
import type { Socket } from 'node:net';
import { Transform } from 'node:stream';
import type { InflateRaw } from 'node:zlib';
import type { ImapFlow } from 'imapflow';
import { EngineError } from '../base/errors.ts';

export interface Internals {
  /** Rejects with the server's words where it answers NO or BAD; what it resolves to is to be told `next()` when it was read. */
  exec(command: string, attributes: unknown, ...rest: unknown[]): Promise<unknown>;
  /** Writes a command. */
  send(request: Request): Promise<void>;
  readonly requestQueue: readonly Request[];
  readonly currentRequest: Request | false;
  /** Literals of the last written command that the server did not ask for yet. */
  readonly commandParts?: readonly unknown[];
  readonly socket: Socket;
  compress(): Promise<void>;
  readonly _inflate: InflateRaw | null;
  run(command: string, ...rest: unknown[]): Promise<unknown>;
  throttleWait(delayMs: number): Promise<boolean>;
  readonly folders: Map<string, unknown>;
  namespace: { prefix: string; delimiter: string | null };
  untaggedVanished: (
    untagged: { readonly attributes?: readonly unknown[] },
    mailbox?: { exists?: number },
  ) => Promise<void>;
  /** By response code. */
  readonly sectionHandlers: Record<string, () => Promise<void>>;
  readonly streamer: Streamer;
  /** What the server said in its BYE. */
  readonly byeReason?: unknown;
  /** The library's reader is at work on an answer: a silent socket is not the server's fault. */
  _processingResponse: boolean;
}

interface Request {
  readonly tag: string;
  readonly command: string;
  /** Written: an answer with its tag is its answer. */
  sent?: boolean;
}

/** The Transform that cuts the server's bytes into answers. */
interface Streamer {
  readonly state: number;
  readonly lineBytes: number;
  /** Lines and announced literals of the answer under way. */
  readonly responseBytes: number;
  readonly inputBuffer: readonly unknown[];
  readonly processingInput: boolean;
  _transform: (chunk: Buffer, encoding: BufferEncoding, next: (error?: Error) => void) => void;
}

const hasInternals = (client: object): client is Internals =>
  'exec' in client &&
  'send' in client &&
  'requestQueue' in client &&
  'currentRequest' in client &&
  'throttleWait' in client &&
  'compress' in client &&
  'untaggedVanished' in client &&
  'sectionHandlers' in client &&
  'folders' in client &&
  client.folders instanceof Map &&
  'streamer' in client &&
  client.streamer instanceof Transform &&
  'processingInput' in client.streamer &&
  'responseBytes' in client.streamer;

/** Of a part, the first byte that it holds (`BODY[]<4096>`); undefined: the server did not say. */
export function originOf(message: object): number | undefined {
  const origins: unknown = Reflect.get(message, 'partialOrigins');
  const origin: unknown = origins instanceof Map ? origins.get('') : undefined;
  return typeof origin === 'number' ? origin : undefined;
}

export function internalsOf(client: ImapFlow): Internals {
  if (hasInternals(client)) return client;
  throw new EngineError('bug', 'this version of imapflow has other members than imap/internals.ts needs');
}
