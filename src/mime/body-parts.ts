/**
 * Which parts are the readable body and which are listed. Pure. A text part is body unless it says that it is an attachment, or
 * has a file name and is not the first thing in its message. Of a multipart/alternative all texts count: one as text, one as
 * HTML. What lies in a nested message is never body: it is another mail's.
 */
import { isMessage, type Part } from './part-tree.ts';

export interface BodyParts {
  /** Plain and HTML leaves in reading order. */
  readonly body: readonly Part[];
  /** Everything else that is a leaf or a message, also inside nested messages. */
  readonly listed: readonly Part[];
  /** Texts of nested messages and calendars: not shown as body, found by search. */
  readonly searched: readonly Part[];
}

export function sortParts(root: Part): BodyParts {
  const sorted = { body: [] as Part[], listed: [] as Part[], searched: [] as Part[] };
  sortPart(root, false, sorted);
  return sorted;
}

interface Sorted {
  readonly body: Part[];
  readonly listed: Part[];
  readonly searched: Part[];
}

/** Recursion is bounded by the tree's depthMax. */
function sortPart(part: Part, isNested: boolean, sorted: Sorted): void {
  if (isMessage(part.fields)) sorted.listed.push(part);
  else if (part.children.length === 0) sortLeaf(part, isNested, sorted);
  if (isSearched(part)) sorted.searched.push(part);
  for (const child of part.children) sortPart(child, isNested || isMessage(part.fields), sorted);
}

/** What people search bounces and invitations for. A message/partial is a piece of anything. */
const isSearched = ({ fields }: Part): boolean =>
  /^(text\/(calendar|rfc822-headers)|message\/(?!partial$).*)$/.test(fields.type) && !isMessage(fields);

function sortLeaf(part: Part, isNested: boolean, sorted: Sorted): void {
  if (isBody(part)) (isNested ? sorted.searched : sorted.body).push(part);
  else if (part.number !== '') sorted.listed.push(part);
}

const isEmptyMultipart = ({ fields }: Part): boolean => fields.type.startsWith('multipart/');

export const isHtml = ({ fields }: Part): boolean => fields.type === 'text/html';

/** A multipart in which no delimiter was found is nothing but text. */
function isBody(part: Part): boolean {
  const { type, disposition, filename } = part.fields;
  if (isEmptyMultipart(part)) return !part.isTooDeep;
  if (!/^text\/(plain|html)$/.test(type) || disposition === 'attachment') return false;
  return filename === null || isFirst(part);
}

/** First leaf of its message. */
function isFirst(part: Part): boolean {
  const { parent } = part;
  if (parent === null || isMessage(parent.fields)) return true;
  return parent.children[0] === part && isFirst(parent);
}

const signatures: ReadonlySet<string> = new Set([
  'application/pgp-signature',
  'application/pkcs7-signature',
  'application/x-pkcs7-signature',
  'application/ms-tnef-signature',
]);

/** What a list marks with a paper clip: not a picture that the HTML shows, not a signature, not an invitation's other form. */
export function isAttachment(part: Part): boolean {
  const { type, disposition, filename, cid } = part.fields;
  const around = part.parent?.fields.type ?? '';
  if (signatures.has(type)) return false;
  if (disposition === 'attachment') return true;
  if (around === 'multipart/related' && cid !== null) return false;
  if (disposition === 'inline' && cid !== null && type.startsWith('image/')) return false;
  if (around === 'multipart/alternative') return false;
  return filename !== null || isMessage(part.fields) || !/^(text|message|multipart)\//.test(type);
}
