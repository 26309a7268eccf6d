/**
 * What a thread has learned of the way to a host, from all connections for all of them: how far it is, and how much mail one
 * connection brings as it is and deflated (RFC 4978). And what follows: whether DEFLATE pays. It does where the link is what holds
 * mail up, and costs where the server is: one core of it deflates some 20 MB/s, a fast link carries more, however long it is.
 */
import { type AnswerTurns, createAnswerTurns } from './answer-turns.ts';

/** Bytes that came, and how long the server was waited for: not the time that our side took. */
export interface Transfer {
  readonly bytes: number;
  readonly waitedMs: number;
}

/** Mail that came over one kind of connection, and how long the server was waited for. Of late: both are halved now and then. */
export interface Throughput {
  bytes: number;
  ms: number;
}

export interface Link {
  /** The shortest command so far: a busy thread measures long. Infinity: none yet. */
  roundTripMs: number;
  /** False: a server there broke a connection, or kept silent, where two commands were under way. */
  takesTwo: boolean;
  readonly plain: Throughput;
  readonly deflated: Throughput;
  /** One connection at a time shows what plain text brings while the others deflate. */
  isTryingPlain: boolean;
  /** Of bulk fetches. */
  readonly turns: AnswerTurns;
}

export const createLink = (): Link => ({
  roundTripMs: Number.POSITIVE_INFINITY,
  takesTwo: true,
  plain: { bytes: 0, ms: 0 },
  deflated: { bytes: 0, ms: 0 },
  isTryingPlain: false,
  turns: createAnswerTurns(),
});

/** Below, the link is a LAN. */
const lanRoundTripMs = 8;
/** What a server deflates on one core: 20 MB/s. */
const deflatedBytesPerMs = 20_000;
/** Less says little: a connection begins slowly (TCP), and the first window is short. */
const knownFromBytes = 4 * 1024 * 1024;
const rememberedBytes = 64 * 1024 * 1024;

const isDistant = ({ roundTripMs }: Link): boolean => roundTripMs >= lanRoundTripMs && Number.isFinite(roundTripMs);

/** Whether a second command is written while the first is under way: where there is a round trip to save. */
export const pipelines = (link: Link): boolean => link.takesTwo && isDistant(link);

/** The server may be one that can't do it: from now on it is asked one by one. */
export function giveUpPipelining(link: Link, onWarning: (text: string) => void): void {
  if (link.takesTwo) onWarning('the connection broke while two commands were under way: from now on one at a time');
  link.takesTwo = false;
}

/**
 * Whether a connection that is plain turns DEFLATE on before a long answer. It can't be turned off again. `triesPlain`: this
 * answer can be the one that shows what plain text brings, if none does so just now.
 */
export function deflatePays(link: Link, { triesPlain }: { readonly triesPlain: boolean }): boolean {
  if (link.roundTripMs < lanRoundTripMs) return false;
  const plain = rateOf(link.plain);
  const deflated = rateOf(link.deflated);
  if (plain === null) return link.isTryingPlain || !triesPlain;
  return deflated === null ? plain < deflatedBytesPerMs : deflated > plain;
}

/** Bytes of mail per ms; null: not known yet. */
const rateOf = ({ bytes, ms }: Throughput): number | null => (bytes < knownFromBytes ? null : bytes / Math.max(1, ms));

export function noteTransfer(link: Link, kind: 'plain' | 'deflated', { bytes, waitedMs }: Transfer): void {
  const sum = link[kind];
  sum.bytes += bytes;
  sum.ms += Math.max(0, waitedMs - link.roundTripMs);
  if (sum.bytes < rememberedBytes) return;
  sum.bytes /= 2;
  sum.ms /= 2;
}
