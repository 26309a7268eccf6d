/** One message with all that is known of it, and what could not be read. On a reading connection. */
import type { AttachmentRow, MessageContent, ParseState, UnreadableFilter, UnreadableMessage } from '../reading.ts';
import type { Address } from '../store.ts';
import type { Connection } from './connection.ts';

export function contentRaw(c: Connection, contentId: number): Uint8Array | undefined {
  return c.get<{ raw: Uint8Array }>('SELECT raw FROM email_raw WHERE content_id = ?', contentId)?.raw;
}

export function unreadable(c: Connection, { acntid, emfdid, limit }: UnreadableFilter): UnreadableMessage[] {
  const sql = `SELECT MIN(m.id) AS id, m.acntid, m.emfdid, t.id AS contentId, t.subject, t.reader_version AS readerVersion,
    t.parse_note AS reason FROM email_contents AS t INDEXED BY email_contents_failed
    JOIN email_messages AS m ON m.content_id = t.id
    WHERE t.parse_state = 'failed' AND m.acntid = coalesce(?, m.acntid) AND m.emfdid = coalesce(?, m.emfdid)
    GROUP BY t.id ORDER BY t.id DESC LIMIT ?`;
  return c.all<UnreadableMessage>(sql, acntid ?? null, emfdid ?? null, limit);
}

interface ContentRow {
  id: number;
  acntid: number;
  emfdid: number;
  path: string | null;
  uid: number;
  flags: string;
  internaldate: string | null;
  size: number;
  conversation_id: number | null;
  vanished_at: string | null;
  content_id: number;
  sha256: string;
  message_id_header: string | null;
  in_reply_to: string | null;
  references_header: string | null;
  subject: string | null;
  from_addresses: string;
  to_addresses: string;
  cc_addresses: string;
  sent_at: string | null;
  parse_state: ParseState;
  parse_note: string | null;
  has_attachments: number | null;
  body_text: string | null;
  body_html: string | null;
}

const contentSql = `SELECT m.id, m.acntid, m.emfdid, f.path, m.uid, m.flags, m.internaldate, m.size, m.conversation_id,
  m.vanished_at, t.id AS content_id, t.sha256, t.message_id_header, t.in_reply_to, t.references_header, t.subject,
  t.from_addresses, t.to_addresses, t.cc_addresses, t.sent_at, t.parse_state, t.parse_note, t.has_attachments, b.body_text,
  b.body_html FROM email_messages AS m JOIN email_contents AS t ON t.id = m.content_id
  LEFT JOIN email_texts AS b ON b.content_id = t.id LEFT JOIN email_folders AS f ON f.emfdid = m.emfdid WHERE m.id = ?`;

/** Tombstones too: their bytes are still here. */
export function messageContent(c: Connection, id: number): MessageContent | undefined {
  const row = c.get<ContentRow>(contentSql, id);
  return row && { ...placementOf(row), ...headersOf(row), ...bodyOf(row), attachments: attachments(c, row.content_id) };
}

const placementOf = (row: ContentRow) => ({
  id: row.id,
  acntid: row.acntid,
  emfdid: row.emfdid,
  path: row.path,
  uid: row.uid,
  flags: row.flags,
  internalDate: row.internaldate,
  size: row.size,
  conversationId: row.conversation_id,
  vanishedAt: row.vanished_at,
});

const headersOf = (row: ContentRow) => ({
  messageIdHeader: row.message_id_header,
  inReplyTo: row.in_reply_to,
  references: row.references_header,
  subject: row.subject,
  from: JSON.parse(row.from_addresses) as Address[],
  to: JSON.parse(row.to_addresses) as Address[],
  cc: JSON.parse(row.cc_addresses) as Address[],
  sentAt: row.sent_at,
});

const bodyOf = (row: ContentRow) => ({
  sha256: row.sha256,
  parseState: row.parse_state,
  parseNote: row.parse_note,
  hasAttachments: row.has_attachments === null ? null : row.has_attachments === 1,
  text: row.body_text,
  html: row.body_html,
});

function attachments(c: Connection, contentId: number): AttachmentRow[] {
  const sql = `SELECT part, filename, content_type AS contentType, size, disposition, cid FROM email_attachments
    WHERE content_id = ?`;
  const byNumber = new Intl.Collator('en', { numeric: true });
  return c.all<AttachmentRow>(sql, contentId).sort((a, b) => byNumber.compare(a.part, b.part));
}
