/** One content read: plain data for the store. Whatever the mail does to the reader is an outcome, not an error. */
import { furtherWords } from '../base/search-words.ts';
import { cleanText, cutText } from '../mime/clean-text.ts';
import { readMessage } from '../mime/read-message.ts';
import type { Reading, UnreadContent } from '../store/reading.ts';
import type { Address } from '../store/store.ts';

const reasonCharsMax = 500;

export function readContent(content: UnreadContent, raw: Uint8Array | undefined): Reading {
  const { contentId } = content;
  if (!raw) return { contentId, failure: 'its raw bytes are missing' };
  try {
    return toReading(content, Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { contentId, failure: cutText(cleanText(reason), reasonCharsMax) };
  }
}

function toReading({ contentId, subject, from, to, cc }: UnreadContent, raw: Buffer): Reading {
  const header = { subject: subject ?? '', sender: peopleText(from), recipients: peopleText([...to, ...cc]) };
  const message = readMessage(raw, header.subject);
  return {
    contentId,
    text: message.text,
    html: message.html,
    preview: message.preview,
    hasAttachments: message.hasAttachments,
    attachments: message.parts,
    search: { ...header, filenames: message.filenames, words: message.words },
    note: message.met.length === 0 ? null : `cut at: ${message.met.join(', ')}`,
  };
}

/** With the second forms of names, so that `sender : "gross"` finds Groß. */
function peopleText(people: readonly Address[]): string {
  const text = people.map(({ name, address }) => (name === '' ? address : `${name} ${address}`)).join('\n');
  const further = furtherWords(text);
  return further === '' ? text : `${text}\n${further}`;
}
