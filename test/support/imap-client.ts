/**
 * A minimal IMAP client of the tests' own: an oracle must not share code with what it judges. Commands go out as text,
 * answers come back as lines whose literals are kept as bytes.
 */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** One answer: text with `\u0000` where a literal stood, and the literals. */
export interface Answer {
  readonly text: string;
  readonly literals: readonly Buffer[];
}

export interface ListedMessage {
  readonly uid: number;
  readonly flags: string;
  readonly sha256: string;
  readonly size: number;
  readonly internalDate: string;
}

export interface ListedFolder {
  readonly path: string;
  readonly uidValidity: number;
  readonly messages: readonly ListedMessage[];
}

export interface AppendedMessage {
  readonly raw: Buffer;
  readonly flags?: string;
  readonly date?: string;
}

export interface ImapClient {
  /** Throws on NO and BAD. */
  command(text: string): Promise<Answer[]>;
  append(path: string, messages: readonly AppendedMessage[]): Promise<void>;
  /** Paths in modified UTF-7, as the server lists them. */
  paths(): Promise<string[]>;
  listFolder(path: string): Promise<ListedFolder>;
  close(): Promise<void>;
}

export const quote = (path: string): string => `"${path.replace(/["\\]/g, '\\$&')}"`;

/** Or closed. Neither listener stays: a long load waits many times. */
const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      socket.off('drain', end).off('close', end);
      resolve();
    };
    socket.on('drain', end).on('close', end);
  });

export async function connectImap(port: number, user: string, password: string): Promise<ImapClient> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  const reader = createReader(socket);
  let number = 0;
  const send = async (text: string | Buffer): Promise<void> => {
    if (socket.destroyed) throw new Error('connection closed');
    if (!socket.write(text)) await drained(socket);
  };
  const finish = async (tag: string, what: string): Promise<Answer[]> => {
    const answers: Answer[] = [];
    for (;;) {
      const answer = await reader.next();
      if (answer.text.startsWith(`${tag} OK`)) return answers;
      if (answer.text.startsWith(`${tag} `)) throw new Error(`${what}: ${answer.text}`);
      answers.push(answer);
    }
  };
  const nextTag = (): string => {
    number += 1;
    return `a${number}`;
  };
  const command = async (text: string): Promise<Answer[]> => {
    const tag = nextTag();
    await send(`${tag} ${text}\r\n`);
    return finish(tag, text);
  };
  /** Without LITERAL+ (RFC 7888) the server must ask for the literal first. */
  const appendWaiting = async (path: string, { raw, flags = '', date }: AppendedMessage): Promise<void> => {
    const tag = nextTag();
    await send(`${tag} APPEND ${quote(path)} (${flags}) ${date === undefined ? '' : `"${date}" `}{${raw.length}}\r\n`);
    for (let next = await reader.next(); !next.text.startsWith('+'); next = await reader.next())
      if (next.text.startsWith(`${tag} `)) throw new Error(`APPEND: ${next.text}`);
    await send(raw);
    await send('\r\n');
    await finish(tag, 'APPEND');
  };
  await reader.next();
  await command(`LOGIN ${quote(user)} ${quote(password)}`);
  const hasLiteralPlus = (await command('CAPABILITY')).some(({ text }) => text.includes('LITERAL+'));
  return {
    command,
    async append(path, messages) {
      if (!hasLiteralPlus) {
        for (const message of messages) await appendWaiting(path, message);
        return;
      }
      const tags = messages.map(nextTag);
      const writing = (async () => {
        for (const [index, { raw, flags = '', date }] of messages.entries()) {
          await send(
            `${tags[index]} APPEND ${quote(path)} (${flags}) ${date === undefined ? '' : `"${date}" `}{${raw.length}+}\r\n`,
          );
          await send(raw);
          await send('\r\n');
        }
      })();
      const refusals: unknown[] = [];
      // All of it must be over, lest the next command goes out in the middle of a mail.
      for (const tag of tags) await finish(tag, 'APPEND').catch((error: unknown) => refusals.push(error));
      await writing;
      if (refusals.length > 0) throw refusals[0];
    },
    async paths() {
      const answers = await command('LIST "" "*"');
      return answers
        .filter(({ text }) => text.startsWith('* LIST') && !/\\Noselect|\\NonExistent/i.test(text))
        .map(pathOf);
    },
    async listFolder(path) {
      const opened = await command(`EXAMINE ${quote(path)}`);
      const uidValidity = Number(/UIDVALIDITY (\d+)/.exec(opened.map((answer) => answer.text).join('\n'))?.[1]);
      const isEmpty = opened.some((answer) => answer.text === '* 0 EXISTS');
      const rows = isEmpty ? [] : await command('UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])');
      return { path, uidValidity, messages: rows.filter(({ text }) => / FETCH /.test(text)).map(toMessage) };
    },
    async close() {
      await command('LOGOUT').catch((error: unknown) => error);
      socket.destroy();
    },
  };
}

function pathOf({ text, literals }: Answer): string {
  const quoted = /"((?:[^"\\]|\\.)*)"$/.exec(text)?.[1];
  if (text.endsWith('\u0000')) return String(literals[0]);
  return quoted === undefined ? (text.split(' ').at(-1) ?? '') : quoted.replace(/\\(.)/g, '$1');
}

function toMessage({ text, literals }: Answer): ListedMessage {
  const body = text.includes('BODY[] \u0000') ? (literals.at(-1) ?? Buffer.alloc(0)) : Buffer.alloc(0);
  const flags = (/FLAGS \(([^)]*)\)/.exec(text)?.[1] ?? '')
    .split(' ')
    .filter((flag) => flag !== '' && flag !== '\\Recent');
  return {
    uid: Number(/UID (\d+)/.exec(text)?.[1]),
    flags: flags.sort((a, b) => (a < b ? -1 : 1)).join(' '),
    sha256: createHash('sha256').update(body).digest('hex'),
    size: Number(/RFC822\.SIZE (\d+)/.exec(text)?.[1]),
    internalDate: new Date(/INTERNALDATE "([^"]*)"/.exec(text)?.[1] ?? '').toISOString(),
  };
}

/** Cuts the byte stream into answers. */
function createReader(socket: Socket): { next(): Promise<Answer> } {
  let buffer: Buffer = Buffer.alloc(0);
  let incoming: Buffer[] = [];
  let incomingBytes = 0;
  let wake: () => void = () => undefined;
  let failure: Error | null = null;
  socket.on('data', (data: Buffer) => {
    incoming.push(data);
    incomingBytes += data.length;
    wake();
  });
  socket.on('error', (error) => {
    failure = error;
    wake();
  });
  socket.on('close', () => {
    failure ??= new Error('connection closed');
    wake();
  });
  /** At least so many bytes, or at least one; put together once, for a literal of 50 MB comes in a thousand pieces. */
  const more = async (bytes = 0): Promise<void> => {
    const isEnough = (): boolean => incoming.length > 0 && buffer.length + incomingBytes >= bytes;
    while (!isEnough()) {
      if (failure) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    buffer = Buffer.concat([buffer, ...incoming]);
    incoming = [];
    incomingBytes = 0;
  };
  const take = async (length: number): Promise<Buffer> => {
    if (buffer.length < length) await more(length);
    const taken = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return taken;
  };
  const line = async (): Promise<string> => {
    let searched = 0;
    for (;;) {
      const end = buffer.indexOf('\r\n', searched);
      if (end >= 0) return (await take(end + 2)).subarray(0, end).toString('latin1');
      searched = Math.max(0, buffer.length - 1);
      await more();
    }
  };
  return {
    async next() {
      let text = '';
      const literals: Buffer[] = [];
      for (;;) {
        const part = await line();
        const literal = /\{(\d+)\}$/.exec(part);
        if (!literal) return { text: text + part, literals };
        text += `${part.slice(0, literal.index)}\u0000`;
        literals.push(await take(Number(literal[1])));
      }
    },
  };
}
