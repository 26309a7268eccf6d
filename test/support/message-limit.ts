/** The script of a server that answers for so many messages only, the highest of those that were asked for (RFC 9738). */
import type { FakeOptions } from './fake-imap-server.ts';
import { asked, type Part } from './fake-mailbox.ts';

/** `tellsUid` false: it does not say how far it got. */
export function limitedTo(count: number, tellsUid = true): NonNullable<FakeOptions['script']> {
  return ({ verb, args, tag, folder }, honest) => {
    if (!folder || (verb !== 'UID FETCH' && verb !== 'UID SEARCH')) return undefined;
    const set = verb === 'UID FETCH' ? args.split(' ')[0] : /\bUID ([\d:*,]+)/.exec(args)?.[1];
    const lowest = asked(folder, set ?? '1:*').at(-count - 1);
    if (lowest === undefined) return undefined;
    const isLooked = (uid: number): boolean => uid > lowest.uid;
    const code = tellsUid ? `MESSAGELIMIT ${count} ${lowest.uid + 1}` : `MESSAGELIMIT ${count}`;
    const parts = verb === 'UID FETCH' ? keptRows(honest, isLooked) : keptNumbers(honest, isLooked);
    return { parts: [...parts, `${tag} OK [${code}] partial results\r\n`] };
  };
}

function keptRows(honest: readonly Part[], isLooked: (uid: number) => boolean): Part[] {
  const rows: Part[][] = [];
  for (const part of honest.slice(0, -1)) {
    if (typeof part === 'string' && part.startsWith('* ')) rows.push([part]);
    else rows.at(-1)?.push(part);
  }
  return rows.filter(([head]) => isLooked(Number(/UID (\d+)/.exec(String(head))?.[1]))).flat();
}

const keptNumbers = (honest: readonly Part[], isLooked: (uid: number) => boolean): Part[] =>
  honest
    .slice(0, -1)
    .map((part) => String(part).replace(/ (\d+)/g, (text, uid) => (isLooked(Number(uid)) ? text : '')));
