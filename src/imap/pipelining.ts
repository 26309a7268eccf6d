/**
 * A second command, written while the first is under way (RFC 9051 5.5): its round trip costs nothing. imapflow 2.10.2 writes one at
 * a time. Here the bytes of the second go out at once and are left out when its turn comes: the library still reads answers one
 * by one, in the order of the commands, in which servers have to give them where one command bears on the next.
 */
import type { ImapFlow } from 'imapflow';
import { internalsOf } from './internals.ts';

export interface Command {
  readonly command: string;
  readonly attributes: readonly unknown[];
}

export interface Pipeline {
  /** Two commands were under way at once on this connection. */
  readonly wasUsed: boolean;
  /** The answer is nobody's to wait for, so what is asked for next may be written behind its command. */
  leave(answer: Promise<unknown>): { next(): void };
  /** To be told of every command in the turn in which it was asked for. */
  noteAsked(command: string): void;
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
const followers: Readonly<Record<string, string>> = { ID: 'ENABLE', EXAMINE: 'UID FETCH' };

const forget = (): void => undefined;

/**
 * Call before connecting. `secondMs` after the answer to the first the connection is cut if the second has none: the server may
 * have lost it.
 */
export function createPipeline(client: ImapFlow, secondMs: number): Pipeline {
  const internals = internalsOf(client);
  const send = internals.send.bind(client);
  const written = new Set<string>();
  let wasUsed = false;
  internals.send = async (request) => {
    if (!written.delete(request.tag)) return send(request);
    const current = internals.currentRequest;
    if (!current) return;
    current.sent = true;
    setTimeout(() => internals.currentRequest === current && client.close(), secondMs).unref();
  };

  /** Not while one of the two has a literal: the server asks for that first. */
  const writeFollower = (): void => {
    const { currentRequest: current, requestQueue, commandParts, socket } = internals;
    const [next] = requestQueue;
    if (!current || next === undefined || requestQueue.length > 1 || followers[current.command] !== next.command)
      return;
    if (commandParts !== undefined && commandParts.length > 0) return;
    // Else the kernel would keep the second until the first was acknowledged.
    socket.setNoDelay(true);
    wasUsed = true;
    written.add(next.tag);
    // Then it is sent, and fails, in its turn.
    send(next).catch(() => written.delete(next.tag));
  };

  let behind: (() => void) | null = null;
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
      if (command !== 'EXAMINE' || behind === null) return;
      const ask = behind;
      behind = null;
      ask();
    },
    async behindExamine({ command, attributes }, work) {
      let obeyed = Promise.resolve(false);
      behind = () => {
        obeyed = internals.exec(command, attributes, {}).then(release, () => false);
      };
      try {
        const result = await work();
        return { result, isObeyed: await obeyed };
      } finally {
        behind = null;
        await obeyed;
      }
    },
  };
}

/** The library reads on when the answer was released. */
function release(answer: unknown): boolean {
  if (typeof answer === 'object' && answer !== null && 'next' in answer && typeof answer.next === 'function')
    answer.next();
  return true;
}
