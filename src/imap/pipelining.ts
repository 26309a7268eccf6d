/**
 * A command written while the one before is under way (RFC 9051 5.5): its round trip costs nothing. imapflow 2.10.2 writes one at
 * a time. Here the bytes of the next go out at once and are left out when its turn comes: the library still reads answers one
 * by one, in the order of the commands, in which servers have to give them where one command bears on the next.
 */
import type { ImapFlow } from 'imapflow';
import { internalsOf } from './internals.ts';
import { giveUpPipelining } from './link.ts';
import type { SessionOptions } from './session.ts';

export interface Command {
  readonly command: string;
  readonly attributes: readonly unknown[];
}

export interface Pipeline {
  /** More than one command was under way on this connection. */
  readonly wasUsed: boolean;
  /** The answer is nobody's to wait for, so what is asked for next may be written behind its command. */
  leave(answer: Promise<unknown>): { next(): void };
  /** To be told of every command in the turn in which it was asked for. */
  noteAsked(command: string): void;
  /** Once: `ask` asks for something right behind the next `command`. */
  behind(command: string, ask: () => void): void;
  /**
   * `work` asks for one EXAMINE; `second` is asked for right behind it. Ends when both were answered, and rejects as `work` does.
   * `isObeyed` false: the server refused the second.
   */
  behindExamine<T>(
    second: Command,
    work: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly isObeyed: boolean }>;
}

/** What is written behind what. All others wait for the answer: after COMPRESS or IDLE the bytes would mean something else. */
const followers: Readonly<Record<string, string>> = { ID: 'ENABLE', ENABLE: 'LIST', EXAMINE: 'UID FETCH' };

const forget = (): void => undefined;

/**
 * Call before connecting. The connection is cut if nothing comes for `silenceMs` after the answer to the command before: the server
 * may have lost the next.
 */
export function createPipeline(client: ImapFlow, silenceMs: number): Pipeline {
  const internals = internalsOf(client);
  const send = internals.send.bind(client);
  const written = new Set<string>();
  let wasUsed = false;
  internals.send = async (request) => {
    if (!written.delete(request.tag)) return send(request);
    const current = internals.currentRequest;
    if (!current) return;
    current.sent = true;
    const { received } = client.stats();
    const isLost = (): boolean => internals.currentRequest === current && client.stats().received === received;
    setTimeout(() => isLost() && client.close(), silenceMs).unref();
  };

  /** Not while one of them has a literal: the server asks for that first. */
  const writeFollower = (): void => {
    const { currentRequest: current, requestQueue, commandParts, socket } = internals;
    const next = requestQueue.at(-1);
    const before = requestQueue.at(-2) ?? current;
    if (!before || next === undefined || followers[before.command] !== next.command) return;
    if (before !== current && !written.has(before.tag)) return;
    if (commandParts !== undefined && commandParts.length > 0) return;
    // Else the kernel would keep it until the one before was acknowledged.
    socket.setNoDelay(true);
    wasUsed = true;
    written.add(next.tag);
    // Then it is sent, and fails, in its turn.
    send(next).catch(() => written.delete(next.tag));
  };

  let following: { readonly command: string; readonly ask: () => void } | null = null;
  return {
    get wasUsed() {
      return wasUsed;
    },
    leave(answer) {
      answer.then(release, forget);
      return { next: forget };
    },
    noteAsked(command) {
      writeFollower();
      if (command !== following?.command) return;
      const { ask } = following;
      following = null;
      ask();
    },
    behind(command, ask) {
      following = { command, ask };
    },
    async behindExamine({ command, attributes }, work) {
      let obeyed = Promise.resolve(false);
      const ask = (): void => {
        obeyed = internals.exec(command, attributes, {}).then(release, () => false);
      };
      following = { command: 'EXAMINE', ask };
      try {
        const result = await work();
        return { result, isObeyed: await obeyed };
      } finally {
        following = null;
        await obeyed;
      }
    },
  };
}

/** Call when a command failed that was written behind another. */
export function noteBreak(
  client: ImapFlow,
  { link, signal, onWarning }: Pick<SessionOptions, 'link' | 'signal' | 'onWarning'>,
): void {
  if (!client.usable && !signal.aborted) giveUpPipelining(link, onWarning);
}

/** The library reads on when the answer was released. */
function release(answer: unknown): boolean {
  if (typeof answer === 'object' && answer !== null && 'next' in answer && typeof answer.next === 'function')
    answer.next();
  return true;
}
