/** Who a transaction is for. Pure. More recipients than a server must take (RFC 5321 4.5.3.1.8) go out in several. */

export function transactionsOf(recipients: readonly string[], recipientsMax: number): string[][] {
  const count = Math.ceil(recipients.length / recipientsMax);
  return Array.from({ length: count }, (_, at) => recipients.slice(at * recipientsMax, (at + 1) * recipientsMax));
}

export interface Allowance {
  /** How many messages may begin now. */
  readonly messages: number;
  readonly recipients: number;
  /** When more may begin; null: nothing holds them back. */
  readonly notBefore: string | null;
}

interface Limits {
  readonly messagesPerMinute: number | null;
  readonly recipientsPerDay: number | null;
}

interface Usage {
  readonly messagesLastMinute: number;
  readonly recipientsLastDay: number;
}

/** How long to wait when a limit is reached: the share of a minute that frees something, and a while of a day. */
const minuteWaitMs = 10_000;
const dayWaitMs = 15 * 60_000;

export function allowanceOf(limits: Limits, usage: Usage, nowMs: number): Allowance {
  const messages = remaining(limits.messagesPerMinute, usage.messagesLastMinute);
  const recipients = remaining(limits.recipientsPerDay, usage.recipientsLastDay);
  const waitMs = recipients === 0 ? dayWaitMs : messages === 0 ? minuteWaitMs : 0;
  return { messages, recipients, notBefore: waitMs === 0 ? null : new Date(nowMs + waitMs).toISOString() };
}

const remaining = (limit: number | null, used: number): number =>
  limit === null ? Number.POSITIVE_INFINITY : Math.max(0, limit - used);
