/** What composing is given, and what columns and raw mails have in common. Pure; throws outbox_invalid. */
import type { AnsweredMessage, OutboxColumns } from '../store/outbox-entry.ts';
import type { Address } from '../store/store.ts';
import { readAddress, readAddresses, uniqueAddresses } from './addresses.ts';
import type { LoadedAttachment } from './attachments.ts';
import { invalid, shown } from './invalid.ts';

/** The header by which an entry is found again where a server has replaced its Message-ID. */
export const ownHeader = 'X-Backproc-Id';

export interface ComposeInput {
  readonly columns: OutboxColumns;
  readonly account: { readonly email: string; readonly name: string | null };
  /** Unique in the world; the Message-ID is made of it where none is given, and the own header. */
  readonly id: string;
  readonly date: Date;
  /** Of in_reply_to_id; null: no answer. */
  readonly answered: AnsweredMessage | null;
  readonly attachments: readonly LoadedAttachment[];
  readonly bytesMax: number;
}

/** Envelope sender: smtp_from, else the account's own address, which is what servers for submission expect. */
export function senderOf({ columns, account }: ComposeInput): string {
  if (columns.smtpFrom?.trim() === '<>') return '';
  const given = readAddress(columns.smtpFrom, 'smtp_from') ?? readAddress(account.email, 'email of the account');
  if (given === null) throw invalid('smtp_from', 'empty, and the account has no address');
  return given.address;
}

/** `recipients` is the whole envelope where it is given. */
export function envelopeOf(columns: OutboxColumns, named: readonly Address[]): string[] {
  const given = readAddresses(columns.recipients, 'recipients');
  return uniqueAddresses((given.length > 0 ? given : named).map(({ address }) => address));
}

export function readMessageId(text: string | null): string | null {
  if (text === null || text.trim() === '') return null;
  const id = text.trim();
  if (!/^<[!-;=?-~]{1,120}@[!-;=?-~]{1,120}>$/.test(id))
    throw invalid('message_id_header', `${shown(text)} is no Message-ID`);
  return id;
}

export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).replace(/[[\]:]/g, '');
