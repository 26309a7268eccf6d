/** Plain data between the store thread, the thread that started it, and its clients. No Error and no function crosses. */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorRecord } from '../../base/errors.ts';
import type { WriteVerb } from './verbs.ts';

export interface ThreadFiles {
  readonly file: string;
  readonly keyFile: string;
  /** Kill the process at this durable step; 0: never. For crash tests. */
  readonly crashAt: number;
}

/** Starter → thread. */
export type ThreadOrder = { readonly kind: 'connect'; readonly port: MessagePort } | { readonly kind: 'stop' };

/** Thread → starter. */
export type ThreadNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: ErrorRecord }
  | { readonly kind: 'stopped'; readonly steps: number };

/** Client → thread. */
export interface WriteRequest {
  readonly id: number;
  readonly verb: WriteVerb;
  readonly args: readonly unknown[];
}

/** Thread → client. */
export type WriteReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorRecord };
