/** Decoded header fields, as they lie in email_contents. */
import type { Instant } from '../base/clock.ts';

export interface Address {
  readonly name: string;
  readonly address: string;
}

/** Decoded header fields; valid Unicode without NUL. */
export interface HeaderFields {
  readonly messageIdHeader: string | null;
  readonly inReplyTo: string | null;
  readonly references: string | null;
  readonly subject: string | null;
  readonly from: readonly Address[];
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly sentAt: Instant | null;
}
