/** Fetches the bytes that attachment plans ask for: from the row itself, from under the root, or from stored mail. */
import { createHash } from 'node:crypto';
import { partWithFields } from '../mime/export-part.ts';
import type { PartFields } from '../mime/part-fields.ts';
import type { OutboxReads } from '../store/outbox.ts';
import type { OutboxEntry } from '../store/outbox-entry.ts';
import { type AttachmentPlan, readAttachments } from './attachment-columns.ts';
import { readAttachmentFile } from './attachment-file.ts';
import { hasControl, invalid } from './invalid.ts';

export interface LoadedAttachment {
  readonly bytes: Buffer;
  readonly filename: string | null;
  readonly contentType: string | null;
  readonly cid: string | null;
  readonly disposition: 'attachment' | 'inline' | null;
}

interface Found {
  readonly bytes: Buffer;
  readonly contentType: string | null;
  readonly filename: string | null;
}

export interface AttachmentPorts {
  readonly store: Pick<OutboxReads, 'storedMail' | 'storedPart'>;
  readonly attachmentRoot: string | null;
  readonly bytesMax: number;
}

export async function loadAttachments(ports: AttachmentPorts, entry: OutboxEntry): Promise<LoadedAttachment[]> {
  const loaded: LoadedAttachment[] = [];
  let leftBytes = ports.bytesMax;
  for (const plan of readAttachments(entry.columns.attachments)) {
    const attachment = await load(ports, entry, plan, leftBytes);
    leftBytes -= attachment.bytes.length;
    if (leftBytes < 0) throw invalid('attachments', `more than ${ports.bytesMax} bytes together`);
    loaded.push(attachment);
  }
  return loaded;
}

async function load(
  ports: AttachmentPorts,
  entry: OutboxEntry,
  plan: AttachmentPlan,
  leftBytes: number,
): Promise<LoadedAttachment> {
  const { source, cid, disposition } = plan;
  const found = await partFor(ports, entry, source, leftBytes);
  return {
    bytes: found.bytes,
    filename: plan.filename ?? found.filename,
    contentType: plan.contentType ?? found.contentType,
    cid,
    disposition,
  };
}

async function partFor(
  ports: AttachmentPorts,
  entry: OutboxEntry,
  source: AttachmentPlan['source'],
  bytesMax: number,
): Promise<Found> {
  const asIs = (bytes: Buffer): Found => ({ bytes, contentType: null, filename: null });
  if (source.kind === 'content') return asIs(source.bytes);
  if (source.kind === 'path') {
    const { attachmentRoot: root } = ports;
    const createdAtMs = Date.parse(entry.createdAt);
    return asIs(await readAttachmentFile({ root, path: source.path, bytesMax, createdAtMs, sha256: source.sha256 }));
  }
  const raw = await storedMail(ports, entry.acntid, source);
  if (source.part === null) return { bytes: raw, contentType: 'message/rfc822', filename: 'message.eml' };
  const part = partWithFields(raw, source.part);
  if (!part) throw invalid('attachments', `${source.kind} ${source.id} has no part ${source.part}`);
  // What reading has found out about it; a mail that was not read yet has no names for its parts.
  const known = await ports.store.storedPart(entry.acntid, source.kind, source.id, source.part);
  const type = usableType(known?.contentType ?? null);
  return {
    bytes: part.bytes,
    contentType: type === null ? null : withParameters(type, part.fields),
    filename: usableName(known?.filename ?? null),
  };
}

/** Without these the bytes, which go out as they came, would be read as something else. */
function withParameters(type: string, { charset, method }: PartFields): string {
  const given = [
    ...(type.startsWith('text/') ? [['charset', charset]] : []),
    ...(type === 'text/calendar' ? [['method', method]] : []),
  ];
  const usable = given.filter(([, value]) => /^[\w.:-]{1,40}$/.test(value ?? ''));
  return [type, ...usable.map(([name, value]) => `${name}=${value}`)].join('; ');
}

/** What a foreign mail says of its parts goes out only where it is harmless. */
const usableType = (type: string | null): string | null =>
  type !== null && /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(type) ? type : null;

const usableName = (name: string | null): string | null =>
  name === null || hasControl(name) ? null : (name.split(/[/\\]/).at(-1)?.slice(0, 255).toWellFormed() ?? null);

/** Only of the account that sends: nobody's mail leaves by another's outbox. */
async function storedMail(
  { store }: AttachmentPorts,
  acntid: number,
  { kind, id }: { readonly kind: 'content_id' | 'message_id'; readonly id: number },
): Promise<Buffer> {
  const raw = await store.storedMail(acntid, kind, id);
  if (!raw) throw invalid('attachments', `the account has no stored mail with ${kind} ${id}`);
  return Buffer.from(raw);
}

/** The column again, each element with the size and SHA-256 of what was sent for it: nothing of the bytes themselves. */
export function recordedAttachments(text: string | null, loaded: readonly LoadedAttachment[]): string | null {
  if (text === null || loaded.length === 0) return text;
  const value: unknown = JSON.parse(text);
  const elements: unknown[] = Array.isArray(value) ? value : [value];
  const recorded = elements.map((element, at) => {
    const { content: _, ...rest }: Record<string, unknown> = typeof element === 'object' ? { ...element } : {};
    const bytes = loaded[at]?.bytes ?? Buffer.alloc(0);
    return { ...rest, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
  return JSON.stringify(recorded);
}
