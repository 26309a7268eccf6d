/**
 * Due entries become attempts: composed where that was not done yet, split into transactions, and written down in one
 * transaction, before anybody dials. A bad entry is rejected here, alone.
 */
import { randomUUID } from 'node:crypto';
import { isTime, toInstant } from '../base/clock.ts';
import { asEngineError } from '../base/errors.ts';
import type { AnsweredMessage, BeginEntry, ComposedEntry, OutboxEntry } from '../store/outbox-entry.ts';
import type { SendingAccount } from './account.ts';
import { loadAttachments } from './attachments.ts';
import { refuseForeignTypes } from './column-types.ts';
import { compose } from './compose.ts';
import { transactionsOf } from './envelope.ts';
import { invalid } from './invalid.ts';
import type { SendPorts } from './task.ts';

/** One SMTP transaction, ready to go. */
export interface Work {
  readonly attemptId: number;
  readonly outboxId: number;
  readonly recipients: readonly string[];
  readonly smtpFrom: string;
  readonly raw: Uint8Array;
  /** Attempts of the entry, this one included. */
  readonly attempt: number;
  readonly firstAttemptMs: number | null;
}

export interface BatchWish {
  readonly entriesMax: number;
  readonly recipientsMax: number;
  readonly recipientsPerMessage: number;
}

/** Composed mails of a batch in memory: what files make of an entry is only known then. */
const batchBytesMax = 32 * 1024 * 1024;

interface Prepared {
  readonly entry: OutboxEntry;
  readonly composed: ComposedEntry | null;
  readonly recipients: readonly string[];
  readonly smtpFrom: string;
  readonly raw: Uint8Array;
}

/** Empty: nothing is due. `hasMore`: a bad or changed entry was among them, so an empty answer is not the last. */
export async function beginBatch(
  ports: SendPorts,
  account: SendingAccount,
  wish: BatchWish,
): Promise<{ readonly works: Work[]; readonly hasMore: boolean; readonly rejectedCount: number }> {
  const now = toInstant(ports.clock());
  const entries = await ports.store.outboxBatch(account.acntid, now, wish.entriesMax);
  const prepared = new Map<number, Prepared>();
  let rejectedCount = 0;
  let recipientCount = 0;
  let bytes = 0;
  for (const entry of entries) {
    const one = await prepareOrReject(ports, account, entry);
    if (one === null) {
      rejectedCount += 1;
      continue;
    }
    recipientCount += one.recipients.length;
    bytes += one.raw.length;
    // The first always goes: one with more recipients than a day allows, or larger than this, would wait for ever.
    if ((recipientCount > wish.recipientsMax || bytes > batchBytesMax) && prepared.size > 0) break;
    prepared.set(entry.id, one);
  }
  const begun = await begin(ports, account, [...prepared.values()], wish.recipientsPerMessage);
  const works = begun.flatMap((attempt) => workOf(prepared.get(attempt.outboxId), attempt));
  return { works, hasMore: entries.length > 0, rejectedCount };
}

async function begin(
  ports: SendPorts,
  { acntid }: SendingAccount,
  prepared: readonly Prepared[],
  recipientsPerMessage: number,
) {
  if (prepared.length === 0) return [];
  const entries = prepared.map(
    ({ entry, composed, recipients }): BeginEntry => ({
      id: entry.id,
      composed,
      transactions: transactionsOf(recipients, recipientsPerMessage),
    }),
  );
  return ports.store.beginAttempts({ acntid, entries, at: toInstant(ports.clock()) });
}

function workOf(
  prepared: Prepared | undefined,
  { attemptId, outboxId, recipients }: { attemptId: number; outboxId: number; recipients: readonly string[] },
): Work[] {
  if (!prepared) return [];
  const { entry, raw, smtpFrom } = prepared;
  const firstAttemptMs = entry.firstAttemptAt === null ? null : Date.parse(entry.firstAttemptAt);
  return [{ attemptId, outboxId, recipients, smtpFrom, raw, attempt: entry.attemptCount + 1, firstAttemptMs }];
}

/**
 * What the entry itself is to blame for is its rejection; a store that fails is thrown. So is not a defect of ours: the entry that
 * shows it would hold up all the others of its account at every try.
 */
async function prepareOrReject(
  ports: SendPorts,
  account: SendingAccount,
  entry: OutboxEntry,
): Promise<Prepared | null> {
  try {
    return await prepare(ports, account, entry);
  } catch (error) {
    const failure = asEngineError(error);
    const { code, detail } = failure;
    if (code !== 'outbox_invalid' && code !== 'bug') throw failure;
    const mark = code === 'bug' ? 'a defect of backproc: ' : '';
    ports.log.warn(`outbox entry ${entry.id} is rejected: ${mark}${detail}`, { acntid: account.acntid });
    const lastError = code === 'bug' ? `cannot be composed: ${firstLineOf(detail)}` : detail;
    await ports.store.rejectEntry(entry.id, lastError, toInstant(ports.clock()));
    return null;
  }
}

/** Of a stack. */
const firstLineOf = (text: string): string => (text.split('\n')[0] ?? '').trim();

async function prepare(ports: SendPorts, account: SendingAccount, entry: OutboxEntry): Promise<Prepared> {
  if (entry.sendAfter !== null && !isTime(entry.sendAfter))
    throw invalid('send_after', `${entry.sendAfter} is no time`);
  if (entry.isComposed) return composedBefore(entry);
  refuseForeignTypes(entry.columns);
  const { store, settings } = ports;
  const { attachmentRoot, messageBytesMax: bytesMax } = settings;
  const composed = compose({
    columns: entry.columns,
    account,
    id: randomUUID(),
    date: ports.clock(),
    answered: await answeredBy(ports, entry),
    attachments: await loadAttachments({ store, attachmentRoot, bytesMax }, entry),
    bytesMax,
  });
  const { recipients, smtpFrom, raw } = composed;
  return { entry, composed, recipients, smtpFrom, raw };
}

/** Nothing else of the row is read any more, so nothing else of it can be wrong. */
function composedBefore(entry: OutboxEntry): Prepared {
  const { raw, smtpFrom } = entry.columns;
  refuseForeignTypes({ raw, smtpFrom });
  if (raw === null || typeof raw === 'string') throw invalid('raw', 'the composed mail is gone from the row');
  if (entry.pending.length === 0) throw invalid('recipients', 'nobody is left to send to');
  return { entry, composed: null, recipients: entry.pending, smtpFrom: smtpFrom ?? '', raw };
}

async function answeredBy({ store }: SendPorts, entry: OutboxEntry): Promise<AnsweredMessage | null> {
  const id = entry.columns.inReplyToId;
  if (id === null) return null;
  const answered = await store.answeredMessage(entry.acntid, id);
  if (!answered) throw invalid('in_reply_to_id', `the account has no message ${id}`);
  return answered;
}
