/**
 * Opens a folder and asks in the same round trip which UIDs it has from `first` on, and how large they are. What QRESYNC tells
 * while it is opened comes as rows, too: those have flags and no size (RFC 7162 3.2.5.1), which a size that was asked for has not.
 */
import type { ImapFlow, MailboxObject } from 'imapflow';
import { EngineError } from '../base/errors.ts';
import { divertRows, type RowBounds } from './divert-rows.ts';
import type { MessageLimit } from './message-limit.ts';
import { noteBreak, type Pipeline } from './pipelining.ts';
import { type FlagItems, isAsked } from './rows.ts';
import type { SessionOptions } from './session.ts';

export interface OpeningFrame {
  readonly client: ImapFlow;
  readonly options: Pick<SessionOptions, 'link' | 'signal' | 'onWarning'>;
  readonly bounds: RowBounds;
  readonly pipeline: Pipeline;
  readonly limit: MessageLimit;
  readonly examine: () => Promise<MailboxObject>;
  readonly onChange: (items: FlagItems) => void;
  /** Sizes by UID. Not called where the server refused to tell. */
  readonly onListed: (first: number, sizes: ReadonlyMap<number, number>) => void;
}

/** A few were expected. More than this is no answer. */
const rowCountMax = 100_000;

export async function openAndList(first: number, frame: OpeningFrame): Promise<MailboxObject> {
  const { client, options, bounds, pipeline, limit, examine, onChange, onListed } = frame;
  const sizes = new Map<number, number>();
  let changes: FlagItems[] = [];
  const onClosed = (): void => {
    changes = [];
  };
  const answers = { bounds, stopwatch: null, commandCount: 2, onClosed };
  const diversion = divertRows(client, answers, ({ uid, flags, size, modseq }) => {
    if (uid === undefined) return;
    if (size === undefined && flags !== undefined) changes.push({ uid, flags, modseq });
    else if (isAsked({ first }, uid)) sizes.set(uid, size ?? 0);
    if (sizes.size > rowCountMax) throw new EngineError('response_too_large', `more than ${rowCountMax} rows`);
  });
  try {
    const second = { command: 'UID FETCH', attributes: sizesFrom(first) };
    const { result, isObeyed } = await pipeline.behindExamine(second, examine);
    diversion.throwIfFailed();
    if (!client.usable) throw new EngineError('connection_lost', 'the sizes that were asked for with the opening');
    for (const change of changes) onChange(change);
    if (isObeyed && diversion.isOn && !limit.isCut) onListed(first, sizes);
    return result;
  } catch (error) {
    diversion.throwIfFailed();
    noteBreak(client, options);
    throw error;
  } finally {
    diversion.end();
  }
}

const sizesFrom = (first: number): unknown[] => [
  { type: 'SEQUENCE', value: `${first}:*` },
  [
    { type: 'ATOM', value: 'UID' },
    { type: 'ATOM', value: 'RFC822.SIZE' },
  ],
];
