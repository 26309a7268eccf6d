/**
 * Who files the copy in Sent, and when it is looked for. Pure. Gmail, Microsoft and Yahoo file what was sent over their servers
 * themselves; of others it is found out: after a while without a copy, one is appended, and from then on at once.
 */
import type { SentCopy } from '../store/outbox-entry.ts';

export type FilingMode = 'server' | 'append' | 'learn' | 'off';

export interface FilingHabits {
  readonly sentCopy: SentCopy;
  readonly sentCopyLearned: 'server' | 'append' | null;
  readonly smtpHost: string | null;
}

const filesItself = /(^|\.)(gmail\.com|googlemail\.com|office365\.com|outlook\.com|yahoo\.com|aol\.com)$/i;

export function filingMode({ sentCopy, sentCopyLearned, smtpHost }: FilingHabits): FilingMode {
  if (sentCopy !== 'auto') return sentCopy;
  if (sentCopyLearned !== null) return sentCopyLearned;
  return smtpHost !== null && filesItself.test(smtpHost) ? 'server' : 'learn';
}

/** Looks, in ms after the delivery and then after each other; the last one without a copy is followed by an APPEND. */
const looksMs: Readonly<Record<Exclude<FilingMode, 'off'>, readonly number[]>> = {
  append: [0],
  learn: [5_000, 40_000],
  server: [30_000, 120_000, 600_000],
};

/** Null: no copy is wanted. */
export function firstLookMs(mode: FilingMode): number | null {
  return mode === 'off' ? null : (looksMs[mode][0] ?? 0);
}

/** Null: looked often enough, the copy is to be appended. `tries`: looks without success, this one included. */
export const nextLookMs = (mode: Exclude<FilingMode, 'off'>, tries: number): number | null =>
  looksMs[mode][tries] ?? null;
