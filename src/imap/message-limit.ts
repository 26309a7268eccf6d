/**
 * A server may answer for so many messages only, the highest, and say so: `OK [MESSAGELIMIT 1000 23221]`, down to UID 23221
 * (RFC 9738 3.1). What is below is asked for by further commands: else all of it would look absent.
 */
import { intersectUids, isUid, type UidSet, uidCount } from '../base/uid-set.ts';
import { type Asked, formatUids, toCommands } from './uid-ranges.ts';

export interface MessageLimit {
  /** To be given the answer to each command (the library's parser). */
  noteAnswer(answer: unknown): void;
  /** The last answer was not about all that had been asked for. */
  readonly isCut: boolean;
  /** `ask`s for all of `uids`, by as many commands as it takes. */
  askAll(uids: Asked, ask: (set: string) => Promise<void>): Promise<void>;
}

/** A million messages, a hundred at a time. */
const cutCountMax = 10_000;

/** `noteUnread`: there is more, and it can't be asked for. */
export function createMessageLimit(noteUnread: () => void): MessageLimit {
  /** Lowest UID that the last answer was about. Null: all; 0: nobody knows. */
  let cutAt: number | null = null;
  return {
    noteAnswer(answer) {
      cutAt = cutIn(answer);
    },
    get isCut() {
      return cutAt !== null;
    },
    async askAll(uids, ask) {
      const commands = toCommands(uids);
      let cutCount = 0;
      for (let next = commands.shift(); next; ) {
        cutAt = null;
        await ask(formatUids(next));
        const rest = cutAt === null ? [] : below(next, cutAt);
        cutCount += cutAt === null ? 0 : 1;
        const isTold = rest !== null && cutCount <= cutCountMax;
        if (!isTold) noteUnread();
        next = isTold && rest.length > 0 ? rest : commands.shift();
      }
    },
  };
}

/** Null: nobody can tell. */
function below(uids: Asked, cutAt: number): UidSet | null {
  if (cutAt === 0) return null;
  if (cutAt === 1) return [];
  if ('first' in uids) return intersectUids([[uids.first, cutAt]], [[1, cutAt - 1]]);
  const rest = intersectUids(uids, [[1, cutAt - 1]]);
  return uidCount(rest) === uidCount(uids) ? null : rest;
}

/** `{ response: { attributes: [{ section: [MESSAGELIMIT, 1000, 23221] }, …] } }`. */
function cutIn(answer: unknown): number | null {
  const attributes = member(member(answer, 'response'), 'attributes');
  const section = member(Array.isArray(attributes) ? attributes[0] : null, 'section');
  const [name, , lowest] = Array.isArray(section) ? section.map((atom) => String(member(atom, 'value'))) : [];
  if (name?.toUpperCase() !== 'MESSAGELIMIT') return null;
  const uid = Number(lowest);
  return isUid(uid) ? uid : 0;
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
