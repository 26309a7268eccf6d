/**
 * Takes the rows of a bulk FETCH out of what the server sends, without copying bodies: bytes in, rows out, and everything that
 * is no untagged FETCH handed back as it came, for the library to read. From the answer to our last command on, all is handed
 * back. What the server sends is bounded as in the library: throws `response_too_large`.
 *
 * line → (it announces a literal) literal → line … → (it announces none) end → line …; the last tagged line: done.
 */
import { EngineError } from '../base/errors.ts';
import { type FetchItems, parseFetchItems } from './fetch-items.ts';

export interface FetchReaderLimits {
  readonly lineBytesMax: number;
  readonly literalBytesMax: number;
  /** Lines and literals of one answer together. */
  readonly answerBytesMax: number;
}

export interface FetchReader {
  /**
   * Calls `onRow` for every answer that is complete and could be read; a promise of it is awaited before the next. Rows keep
   * views into `chunk`. Returns what is not for us, in order.
   */
  take(chunk: Buffer): Promise<readonly Buffer[]>;
  /** Rows so far that were complete and could not be read. */
  unreadCount(): number;
  /** Of the answer under way, what it announced included: a literal has its memory at once. */
  heldBytes(): number;
}

interface State {
  readonly limits: FetchReaderLimits;
  /** The rows so far were of the folder that was open before. */
  readonly onClosed: () => void;
  /** Not answered yet. */
  commandCount: number;
  next: 'line' | 'literal' | 'end' | 'done';
  isRow: boolean;
  /** Of the row under way: its lines without `* 12 FETCH (`, and its literals. */
  text: string;
  literals: Buffer[];
  answerBytes: number;
  /** A line whose end has not come, in pieces. */
  tail: Buffer[];
  tailBytes: number;
  /** Of the literal under way; a row's literal that spans chunks is put together in `body`. */
  literalLeft: number;
  body: Buffer | null;
  foreign: Buffer[];
  unreadCount: number;
}

export function createFetchReader(
  limits: FetchReaderLimits,
  onRow: (items: FetchItems) => Promise<void> | void,
  commandCount = 1,
  onClosed: () => void = () => undefined,
): FetchReader {
  const state: State = {
    ...idle(),
    limits,
    onClosed,
    commandCount,
    next: 'line',
    tail: [],
    tailBytes: 0,
    foreign: [],
    unreadCount: 0,
  };
  return {
    async take(given) {
      state.foreign = [];
      const chunk = withTail(state, given);
      let at = 0;
      while (at < chunk.length || state.next === 'end') {
        if (state.next === 'line') at = takeLine(state, chunk, at);
        else if (state.next === 'literal') at = takeLiteral(state, chunk, at);
        else if (state.next === 'done') at = passOn(state, chunk, at, chunk.length);
        else {
          const items = endAnswer(state);
          const taken = items === undefined ? undefined : onRow(items);
          if (taken !== undefined) await taken;
        }
      }
      return state.foreign;
    },
    unreadCount: () => state.unreadCount,
    heldBytes: () => state.tailBytes + (state.isRow ? state.answerBytes : 0),
  };
}

const idle = () => ({ isRow: false, text: '', literals: [], answerBytes: 0, literalLeft: 0, body: null });

function endAnswer(state: State): FetchItems | undefined {
  const items = state.isRow ? parseFetchItems(state.text, state.literals) : undefined;
  if (state.isRow && items === undefined) state.unreadCount += 1;
  Object.assign(state, idle(), { next: 'line' });
  return items;
}

/** Pieces are joined when the line ends, not before: a line may come in thousands of them. */
function withTail(state: State, given: Buffer): Buffer {
  if (state.tail.length === 0) return given;
  if (!given.includes(LF)) {
    keepTail(state, given);
    return Buffer.alloc(0);
  }
  const whole = Buffer.concat([...state.tail, given]);
  state.tail = [];
  state.tailBytes = 0;
  return whole;
}

function keepTail(state: State, piece: Buffer): void {
  state.tail.push(piece);
  state.tailBytes += piece.length;
  throwIfLineTooLarge(state, state.tailBytes);
}

function throwIfLineTooLarge({ limits }: State, bytes: number): void {
  if (bytes > limits.lineBytesMax) throw tooLarge(`a line of more than ${limits.lineBytesMax} bytes`);
}

function passOn(state: State, chunk: Buffer, start: number, end: number): number {
  state.foreign.push(chunk.subarray(start, end));
  return end;
}

const LF = 10;
const star = 42;
const plus = 43;

/** Returns where the line ends; a line without an end is kept for the next chunk. */
function takeLine(state: State, chunk: Buffer, start: number): number {
  const feed = chunk.indexOf(LF, start);
  const end = feed === -1 ? chunk.length : feed + 1;
  if (feed === -1) {
    keepTail(state, chunk.subarray(start));
    return end;
  }
  throwIfLineTooLarge(state, end - start);
  const isFirst = state.answerBytes === 0;
  if (isFirst && chunk[start] !== star) {
    if (chunk[start] !== plus) state.commandCount -= 1;
    if (state.commandCount > 0) return passOn(state, chunk, start, end);
    state.next = 'done';
    return start;
  }
  const head = isFirst ? headLength(chunk, start, end) : 0;
  if (isFirst) state.isRow = head > 0;
  if (isFirst && !state.isRow && tellsClosed(chunk, start, end)) state.onClosed();
  count(state, end - start);
  if (state.isRow) state.text += chunk.toString('latin1', start + head, end);
  else passOn(state, chunk, start, end);
  announce(state, announcedBytes(chunk, start, end));
  return end;
}

const rowHead = /^\* \d{1,10} FETCH \(/i;
/** Of `* 4294967295 FETCH (`. */
const headCharsMax = 20;

/** 0: no row begins here. */
const headLength = (chunk: Buffer, start: number, end: number): number =>
  rowHead.exec(chunk.toString('latin1', start, Math.min(end, start + headCharsMax)))?.[0].length ?? 0;

const closedCode = '* OK [CLOSED]';

const tellsClosed = (chunk: Buffer, start: number, end: number): boolean =>
  chunk.toString('latin1', start, Math.min(end, start + closedCode.length)).toUpperCase() === closedCode;

const tooLarge = (detail: string): EngineError => new EngineError('response_too_large', detail);

function count(state: State, bytes: number): void {
  state.answerBytes += bytes;
  const { answerBytesMax } = state.limits;
  if (state.answerBytes > answerBytesMax) throw tooLarge(`an answer of more than ${answerBytesMax} bytes`);
}

function announce(state: State, bytes: number): void {
  state.next = bytes < 0 ? 'end' : 'literal';
  if (bytes < 0) return;
  if (bytes > state.limits.literalBytesMax) throw tooLarge(`a literal of ${bytes} bytes`);
  count(state, bytes);
  state.literalLeft = bytes;
}

const openBrace = 123;
const closeBrace = 125;
const zero = 48;
const nine = 57;

/** Of a line that ends in `{n}`, as the library reads it, leading zeros and all; -1: it announces no literal. */
function announcedBytes(chunk: Buffer, start: number, end: number): number {
  const crlf = chunk[end - 2] === 13 ? 2 : 1;
  const brace = end - crlf - 1;
  if (chunk[brace] !== closeBrace) return -1;
  let digits = brace;
  while (digits > start && isDigit(chunk[digits - 1])) digits -= 1;
  if (digits === brace || chunk[digits - 1] !== openBrace || digits - 1 === start) return -1;
  while (chunk[digits] === zero) digits += 1;
  // More digits than any bound has: told by the first of them.
  return Number(chunk.toString('latin1', digits, Math.min(brace, digits + 18)));
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= nine;

/** In one piece where this chunk has all of it. */
function takeLiteral(state: State, chunk: Buffer, start: number): number {
  const end = Math.min(chunk.length, start + state.literalLeft);
  if (!state.isRow) passOn(state, chunk, start, end);
  else if (state.body === null && end - start === state.literalLeft) state.literals.push(chunk.subarray(start, end));
  else takePart(state, chunk.subarray(start, end));
  state.literalLeft -= end - start;
  if (state.literalLeft === 0) state.next = 'line';
  return end;
}

function takePart(state: State, part: Buffer): void {
  state.body ??= Buffer.allocUnsafeSlow(state.literalLeft);
  part.copy(state.body, state.body.length - state.literalLeft);
  if (part.length < state.literalLeft) return;
  state.literals.push(state.body);
  state.body = null;
}
