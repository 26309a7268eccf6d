/**
 * Columns become one MIME message. Pure: the same input is the same bytes. What cannot be sent as it
 * stands throws outbox_invalid with the column that is wrong. Bcc recipients are in the envelope and nowhere else.
 */
import type { ComposedEntry, OutboxColumns } from '../store/outbox-entry.ts';
import type { Address } from '../store/store.ts';
import { readAddress, readAddresses } from './addresses.ts';
import { recordedAttachments } from './attachments.ts';
import { type ComposeInput, domainOf, envelopeOf, ownHeader, readMessageId, senderOf } from './compose-input.ts';
import { readHeaders } from './header-columns.ts';
import { hasControl, invalid, shown } from './invalid.ts';
import { buildMime } from './mime.ts';
import { threadingOf } from './references.ts';

export function composeColumns(input: ComposeInput): ComposedEntry {
  const { columns } = input;
  const from = readAddress(columns.fromAddress, 'from_address') ?? ownAddress(input);
  const to = readAddresses(columns.toAddresses, 'to_addresses');
  const cc = readAddresses(columns.ccAddresses, 'cc_addresses');
  const bcc = readAddresses(columns.bccAddresses, 'bcc_addresses');
  const messageIdHeader = readMessageId(columns.messageIdHeader) ?? `<${input.id}@${domainOf(from.address)}>`;
  const raw = buildMime({
    from,
    to,
    cc,
    replyTo: readAddresses(columns.replyTo, 'reply_to'),
    subject: subjectOf(columns),
    ...bodiesOf(columns),
    headers: [
      { name: ownHeader, value: input.id },
      ...readHeaders(columns.headers, { isAnswer: columns.inReplyToId !== null }),
    ],
    ...threadingOf(input.answered),
    attachments: input.attachments,
    messageIdHeader,
    date: input.date,
    boundary: input.id,
  });
  return {
    raw,
    messageIdHeader,
    xBackprocId: input.id,
    smtpFrom: senderOf(input),
    recipients: envelopeOf(columns, [...to, ...cc, ...bcc]),
    attachments: recordedAttachments(columns.attachments, input.attachments),
    understood: { subject: columns.subject, from: [from], to, cc, bcc },
  };
}

function ownAddress({ account }: ComposeInput): Address {
  const own = readAddress(account.email, 'email of the account');
  if (own === null) throw invalid('from_address', 'empty, and the account has no address');
  return { ...own, name: hasControl(account.name ?? '') ? '' : (account.name ?? '') };
}

function subjectOf({ subject }: OutboxColumns): string {
  if (subject === null) throw invalid('subject', 'missing; an empty text is allowed');
  if (hasControl(subject)) throw invalid('subject', `line ends or control characters in ${shown(subject)}`);
  return subject.toWellFormed();
}

function bodiesOf({ bodyText, bodyHtml }: OutboxColumns): { text: string | null; html: string | null } {
  if (bodyText === null && bodyHtml === null)
    throw invalid('body_text', 'neither body_text nor body_html nor raw is given');
  const clean = (body: string | null, column: string): string | null => {
    if (body?.includes('\0')) throw invalid(column, 'holds a NUL character');
    return body?.toWellFormed() ?? null;
  };
  return { text: clean(bodyText, 'body_text'), html: clean(bodyHtml, 'body_html') };
}
