/**
 * What becomes of a mail whose delivery could not be confirmed. Pure. It is looked for a few times, because a server may still be
 * busy with it; found in Sent it was taken. Not found, it waits for a person, or is sent once more where the operator chose so.
 */

export interface Look {
  readonly isFound: boolean;
  /** Looks so far, this one included. */
  readonly looks: number;
  readonly policy: 'hold' | 'resend-once';
  readonly wasResent: boolean;
  /** Another recipient had been served before: then the copy in Sent may be that one's. */
  readonly hasDelivered: boolean;
}

export type LookDecision =
  | { readonly kind: 'found' }
  | { readonly kind: 'look-again'; readonly afterMs: number }
  | { readonly kind: 'resend-once' }
  | { readonly kind: 'hold' };

/** After the attempt itself: a minute, then these. */
export const firstUnknownLookMs = 60_000;
const laterLooksMs = [4 * 60_000, 5 * 60_000];

export function decideUnknown({ isFound, looks, policy, wasResent, hasDelivered }: Look): LookDecision {
  if (isFound && !hasDelivered) return { kind: 'found' };
  const afterMs = laterLooksMs[looks - 1];
  if (afterMs !== undefined && !hasDelivered) return { kind: 'look-again', afterMs };
  return policy === 'resend-once' && !wasResent ? { kind: 'resend-once' } : { kind: 'hold' };
}
