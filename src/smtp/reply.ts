/** Server replies as text (RFC 5321 4.2, RFC 3463). Pure. */
import type { Reply } from './session.ts';

/** No reply says more that anybody reads; 512 octets is the longest line there may be (RFC 5321 4.5.3.1.5). */
const textCharsMax = 1000;

/** What has this code came from the server and is no reply (RFC 5321 4.2). */
const unreadable = -1;

/** Of a command that was answered: with something that can't be read, too. */
export function replyOrUnreadable(response: unknown): Reply {
  const text = `no reply that can be read: ${String(response)}`;
  return parseReply(response) ?? { code: unreadable, text: onOneLine(text) };
}

const onOneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f]/g, ' ').slice(0, textCharsMax);

/** Null: no reply at all, or something that does not begin with a code. Where its lines have different codes, the last one counts. */
export function parseReply(response: unknown): Reply | null {
  if (typeof response !== 'string') return null;
  const lines = response.trimEnd().split(/\r?\n/);
  const code = codeOf(lines[0]) && (codeOf(lines.at(-1)) ?? codeOf(lines[0]));
  if (code === undefined) return null;
  const words = lines.map((line) => line.replace(/^\d{3}[ -]?/, '').trim()).filter((line) => line !== '');
  return { code: Number(code), text: onOneLine(`${code} ${words.join(' ')}`.trim()) };
}

const codeOf = (line = ''): string | undefined => /^([2-5]\d\d)(?:[ -]|$)/.exec(line)?.[1];
