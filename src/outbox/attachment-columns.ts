/**
 * The attachments column as a plan: which bytes are wanted, from where, under which name. Pure; throws outbox_invalid.
 *     {"filename", "content_type", "content": base64}
 *     {"path": under EMAIL_ATTACHMENT_ROOT, "sha256"?}
 *     {"content_id" | "message_id", "part"?}: a MIME part of a stored mail, or the whole mail
 * each with "filename", "content_type", "cid" and "disposition" as wanted.
 */
import { parseJson } from './addresses.ts';
import { hasControl, invalid, shown } from './invalid.ts';

export type AttachmentSource =
  | { readonly kind: 'content'; readonly bytes: Buffer }
  | { readonly kind: 'path'; readonly path: string; readonly sha256: string | null }
  | { readonly kind: 'content_id'; readonly id: number; readonly part: string | null }
  | { readonly kind: 'message_id'; readonly id: number; readonly part: string | null };

export interface AttachmentPlan {
  readonly source: AttachmentSource;
  readonly filename: string | null;
  readonly contentType: string | null;
  readonly cid: string | null;
  readonly disposition: 'attachment' | 'inline' | null;
}

const countMax = 200;
const filenameCharsMax = 255;

export function readAttachments(text: string | null): AttachmentPlan[] {
  if (text === null || text.trim() === '') return [];
  const value = parseJson(text, 'attachments');
  const elements: unknown[] = Array.isArray(value) ? value : [value];
  if (elements.length > countMax) throw invalid('attachments', `${elements.length} of them, at most ${countMax}`);
  return elements.map(readElement);
}

type Fields = Readonly<Record<string, unknown>>;

function readElement(element: unknown): AttachmentPlan {
  if (typeof element !== 'object' || element === null) throw invalid('attachments', `${shown(element)} is no object`);
  const fields: Fields = { ...element };
  const disposition = textOf(fields, 'disposition');
  if (disposition !== null && disposition !== 'inline' && disposition !== 'attachment')
    throw invalid('attachments', `disposition ${shown(disposition)}: expected inline or attachment`);
  return {
    source: sourceOf(fields),
    filename: filenameOf(fields),
    contentType: contentTypeOf(fields),
    cid: cidOf(fields),
    disposition,
  };
}

function textOf(fields: Fields, name: string): string | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw invalid('attachments', `${name} ${shown(value)} is no text`);
  if (name !== 'content' && hasControl(value)) throw invalid('attachments', `control characters in ${name}`);
  return value;
}

function sourceOf(fields: Fields): AttachmentSource {
  const given = ['content', 'path', 'content_id', 'message_id'].filter((name) => (fields[name] ?? null) !== null);
  if (given.length !== 1)
    throw invalid('attachments', `${shown(fields)}: expected one of content, path, content_id, message_id`);
  const content = textOf(fields, 'content_id' in fields || 'message_id' in fields ? 'part' : 'content');
  const [name] = given;
  if (name === 'content') return { kind: 'content', bytes: base64(content ?? '') };
  if (name === 'path') return { kind: 'path', path: textOf(fields, 'path') ?? '', sha256: sha256Of(fields) };
  const kind = name === 'content_id' ? 'content_id' : 'message_id';
  return { kind, id: idOf(fields, kind), part: partOf(textOf(fields, 'part')) };
}

function base64(text: string): Buffer {
  const digits = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(digits)) throw invalid('attachments', 'content is not base64');
  return Buffer.from(digits, 'base64');
}

function sha256Of(fields: Fields): string | null {
  const text = textOf(fields, 'sha256')?.toLowerCase() ?? null;
  if (text !== null && !/^[0-9a-f]{64}$/.test(text)) throw invalid('attachments', 'sha256 has not 64 hex digits');
  return text;
}

function idOf(fields: Fields, name: string): number {
  const id = fields[name];
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1)
    throw invalid('attachments', `${name} ${shown(id)} is no number of a row`);
  return id;
}

/** RFC 9051 part numbers: `1`, `2.1`. */
function partOf(part: string | null): string | null {
  if (part !== null && !/^\d{1,4}(\.\d{1,4}){0,20}$/.test(part))
    throw invalid('attachments', `part ${shown(part)}: expected a number such as 2 or 1.2`);
  return part;
}

/** Whatever leads to it is not the recipient's business. */
function filenameOf(fields: Fields): string | null {
  const name = (textOf(fields, 'filename') ?? textOf(fields, 'path'))?.split(/[/\\]/).at(-1)?.toWellFormed() ?? null;
  if (name !== null && (name === '' || name.length > filenameCharsMax))
    throw invalid('attachments', `filename ${shown(name)}: expected 1 to ${filenameCharsMax} characters`);
  return name;
}

function contentTypeOf(fields: Fields): string | null {
  const type = textOf(fields, 'content_type');
  if (type !== null && !/^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(\s*;[\x20-\x7e]{0,500})?$/.test(type))
    throw invalid('attachments', `content_type ${shown(type)} is none`);
  return type;
}

function cidOf(fields: Fields): string | null {
  const cid = textOf(fields, 'cid')?.replace(/^<|>$/g, '') ?? null;
  if (cid !== null && !/^[!-;=?-~]{1,200}$/.test(cid)) throw invalid('attachments', `cid ${shown(cid)} is none`);
  return cid;
}
