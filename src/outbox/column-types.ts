/**
 * SQLite keeps what it is given: a program that binds bytes leaves a BLOB in a TEXT column. Only where every column holds what its
 * type says may the readers take it for text. Pure; throws outbox_invalid.
 */
import type { OutboxColumns } from '../store/outbox-entry.ts';
import { invalid, shown } from './invalid.ts';

const textColumns = {
  smtpFrom: 'smtp_from',
  recipients: 'recipients',
  fromAddress: 'from_address',
  toAddresses: 'to_addresses',
  ccAddresses: 'cc_addresses',
  bccAddresses: 'bcc_addresses',
  replyTo: 'reply_to',
  subject: 'subject',
  bodyText: 'body_text',
  bodyHtml: 'body_html',
  headers: 'headers',
  attachments: 'attachments',
  messageIdHeader: 'message_id_header',
} as const satisfies Partial<Record<keyof OutboxColumns, string>>;

/** The columns as the database has them: their types are a promise that applications need not keep. */
type Given = Readonly<Partial<Record<keyof OutboxColumns, unknown>>>;

/** Of a row or of some of its columns. */
export function refuseForeignTypes(columns: Partial<OutboxColumns>): void {
  const given: Given = columns;
  for (const key of Object.keys(textColumns) as (keyof typeof textColumns)[])
    if (typeof (given[key] ?? '') !== 'string')
      throw invalid(textColumns[key], `holds ${kindOf(given[key])}, expected text`);
  const { raw = null, inReplyToId = null } = given;
  if (raw !== null && typeof raw !== 'string' && !(raw instanceof Uint8Array))
    throw invalid('raw', `holds ${kindOf(raw)}, expected bytes or text`);
  if (inReplyToId !== null && !Number.isSafeInteger(inReplyToId))
    throw invalid('in_reply_to_id', `holds ${kindOf(inReplyToId)}, expected the id of a message`);
}

const kindOf = (value: unknown): string => (value instanceof Uint8Array ? 'bytes' : shown(value));
