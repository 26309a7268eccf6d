/**
 * Header fields that an application adds. A name or value that could end a line or begin a field is refused, as are fields that
 * other columns make, or that say who wrote and when. Pure; throws outbox_invalid.
 */
import { parseJson } from './addresses.ts';
import { hasControl, invalid, shown } from './invalid.ts';

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

const countMax = 100;
/** RFC 5322 2.1.1: a line has at most 998 characters; the name must leave room. */
const nameCharsMax = 76;
const valueCharsMax = 10_000;

const reserved = new Set(
  `from sender to cc bcc reply-to subject date message-id mime-version return-path received x-backproc-id
   resent-from resent-sender resent-to resent-cc resent-bcc resent-date resent-message-id`.split(/\s+/),
);

/** `{"List-Id": "…"}`, values text or arrays of text; or an array of `{name, value}`. */
export function readHeaders(text: string | null, options: { readonly isAnswer: boolean }): HeaderField[] {
  if (text === null || text.trim() === '') return [];
  const value = parseJson(text, 'headers');
  if (typeof value !== 'object' || value === null) throw invalid('headers', 'expected an object of names and values');
  const fields = Array.isArray(value) ? value.map(toField) : Object.entries(value).flatMap(toFields);
  if (fields.length > countMax) throw invalid('headers', `${fields.length} fields, at most ${countMax}`);
  return fields.map((field) => checked(field, options.isAnswer));
}

function toFields([name, value]: [string, unknown]): { name: unknown; value: unknown }[] {
  return (Array.isArray(value) ? value : [value]).map((one: unknown) => ({ name, value: one }));
}

function toField(element: unknown): { name: unknown; value: unknown } {
  if (typeof element !== 'object' || element === null || !('name' in element) || !('value' in element))
    throw invalid('headers', `${shown(element)} has no name and value`);
  return { name: element.name, value: element.value };
}

function checked({ name, value }: { name: unknown; value: unknown }, isAnswer: boolean): HeaderField {
  if (typeof name !== 'string' || !/^[!-9;-~]+$/.test(name) || name.length > nameCharsMax)
    throw invalid('headers', `${shown(name)} is no name of a header field`);
  if (typeof value !== 'string' && typeof value !== 'number')
    throw invalid('headers', `the value of ${name} is no text`);
  const text = String(value);
  if (hasControl(text)) throw invalid('headers', `line ends or control characters in ${name}: ${shown(text)}`);
  if (text.length > valueCharsMax) throw invalid('headers', `${name} is longer than ${valueCharsMax} characters`);
  const lower = name.toLowerCase();
  if (reserved.has(lower) || lower.startsWith('content-'))
    throw invalid('headers', `${name} is made by another column or by backproc`);
  if (isAnswer && (lower === 'in-reply-to' || lower === 'references'))
    throw invalid('headers', `${name} follows from in_reply_to_id`);
  return { name, value: text.toWellFormed() };
}
