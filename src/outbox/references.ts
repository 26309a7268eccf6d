/** In-Reply-To and References of an answer (RFC 5322 3.6.4). Pure. */
import type { AnsweredMessage } from '../store/outbox-entry.ts';

export interface Threading {
  readonly inReplyTo: string | null;
  readonly references: readonly string[];
}

/** Long conversations keep their beginning and their end: enough for any client to group them. */
const referencesMax = 30;

export function threadingOf(answered: AnsweredMessage | null): Threading {
  if (answered === null) return { inReplyTo: null, references: [] };
  const own = idsIn(answered.messageIdHeader).at(0) ?? null;
  const before = idsIn(answered.references);
  const inReplyTo = idsIn(answered.inReplyTo);
  // Where there are no References, an In-Reply-To with one id takes their place; several ids say nothing certain.
  const parents = before.length > 0 ? before : inReplyTo.length === 1 ? inReplyTo : [];
  const all = [...new Set([...parents, ...(own === null ? [] : [own])])];
  const references = all.length <= referencesMax ? all : [...all.slice(0, 1), ...all.slice(1 - referencesMax)];
  return { inReplyTo: own, references };
}

/** Only what is surely an id: a hostile header must not get into ours. */
const idsIn = (text: string | null): string[] => text?.match(/<[!-;=?-~]{1,250}>/g) ?? [];
