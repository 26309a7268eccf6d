/**
 * Which messages of one account belong together. Pure, and independent of the order in which mail arrives: each message yields keys
 * from its own header fields alone, and a conversation is whatever hangs together by equal keys.
 *
 * A message names at most one other: the first id of References (the thread's first message), else of In-Reply-To. It belongs to
 * that one's conversation when it carries the same subject, or is written or addressed to that one's author. So a forged References
 * header puts one mail into one conversation at most, and joins no two: a new Message-ID is in nobody's header, and a forged one
 * ties nothing without the subject or the author that goes with it. Messages that name the same missing one belong together by
 * the same rule.
 *
 * A reply without either header belongs to what the person it is addressed to wrote to its author under the same subject, in the
 * same week or the week before.
 */

export interface ConversationHeader {
  readonly messageIdHeader: string | null;
  readonly inReplyTo: string | null;
  readonly references: string | null;
  readonly subject: string | null;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** UTC instant. */
  readonly sentAt: string | null;
}

export interface ConversationKeys {
  /** Whoever has one of these in common belongs together. */
  readonly shared: readonly string[];
  /** What a reply without references could be an answer to; by themselves they join nothing. */
  readonly originals: readonly string[];
  /** The `originals` that this reply without references answers. */
  readonly answers: readonly string[];
}

/** Addressees that count; the rest of a mailing would only make keys. */
const addresseeCountMax = 4;
const idCharsMax = 998;

export function conversationKeys(header: ConversationHeader, owner: string): ConversationKeys {
  const id = firstId(header.messageIdHeader);
  const named = firstId(header.references) ?? firstId(header.inReplyTo);
  const answered = named === id ? null : named;
  const { base, isReply } = baseSubject(header.subject ?? '');
  const people = peopleOf(header, owner.toLowerCase());
  const shared = [
    ...(id === null ? [] : [key('s', id, base), ...people.authors.map((address) => key('p', id, address))]),
    ...(answered === null
      ? []
      : [key('s', answered, base), ...people.partners.map((address) => key('p', answered, address))]),
  ];
  return { shared: [...new Set(shared)], ...fallback(header, { base, isReply, isAlone: answered === null }) };
}

const key = (...parts: readonly string[]): string => parts.join('\n');

function firstId(value: string | null): string | null {
  const id = /<[^<>\s]+>/.exec(value ?? '')?.[0];
  return id === undefined || id.length > idCharsMax ? null : id;
}

interface People {
  /** Who an answer to this message is addressed to: its author; for the owner's own mail, whom it was sent to. */
  readonly authors: readonly string[];
  /** Author and addressees, without the owner, who is in everything. */
  readonly partners: readonly string[];
}

function peopleOf({ from, to }: ConversationHeader, owner: string): People {
  const others = (addresses: readonly string[]): string[] =>
    addresses
      .slice(0, addresseeCountMax)
      .map(lower)
      .filter((address) => address !== '' && address !== owner);
  const authors = others(from.slice(0, 1));
  return { authors: authors.length > 0 ? authors : others(to), partners: [...new Set([...authors, ...others(to)])] };
}

const lower = (address: string): string => address.trim().toLowerCase();

const weekMs = 7 * 86_400_000;
/** `Hi` and `Invoice` are written every day. */
const subjectCharsMin = 8;

interface Standing {
  readonly base: string;
  readonly isReply: boolean;
  /** It names no other message. */
  readonly isAlone: boolean;
}

function fallback(
  { from, to, sentAt }: ConversationHeader,
  { base, isReply, isAlone }: Standing,
): Pick<ConversationKeys, 'originals' | 'answers'> {
  const author = lower(from[0] ?? '');
  const addressees = [...new Set(to.slice(0, addresseeCountMax).map(lower))].filter((address) => address !== '');
  if (!isAlone || base.length < subjectCharsMin || sentAt === null || author === '')
    return { originals: [], answers: [] };
  const week = Math.floor(Date.parse(sentAt) / weekMs);
  const letterKey = (writer: string, reader: string, at: number): string => key('o', base, writer, reader, `${at}`);
  if (!isReply) return { originals: addressees.map((address) => letterKey(author, address, week)), answers: [] };
  const answers = addressees
    .slice(0, 1)
    .flatMap((address) => [week, week - 1].map((at) => letterKey(address, author, at)));
  return { originals: [], answers };
}

/** `Re:`, `AW:`, `Odp:`, `回复：`… as often as there are, and what lists put in brackets. */
const replyPrefix =
  /^(?:re|aw|antw|antwort|sv|vs|vá|odp|ynt|rif|res|r|bls|atb|ang|回复|回覆|答复|返信|답장|отв|ответ)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*/u;
const forwardPrefix = /^(?:fwd?|wg|tr|vb|vl|pd|i|enc|rv|ilt|fs|转发|轉寄|転送|전달|пер)\s*(?:\[\d+\])?\s*[:：]\s*/u;
const listTag = /^\[[^\]]{1,60}\]\s*/u;
/** No chain of prefixes is longer in earnest. */
const prefixCountMax = 20;
const subjectCharsMax = 400;

/** What all messages of a conversation have in common in their subject. */
export function baseSubject(subject: string): { readonly base: string; readonly isReply: boolean } {
  let base = subject.slice(0, subjectCharsMax).normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  let isReply = false;
  for (let count = 0; count < prefixCountMax; count += 1) {
    isReply ||= replyPrefix.test(base);
    const shorter = base.replace(replyPrefix, '').replace(forwardPrefix, '');
    const untagged = shorter.replace(listTag, '') || shorter;
    if (untagged === base) break;
    base = untagged;
  }
  return { base: base.replace(/(?:\s*\(fwd\))+$/, ''), isReply };
}
