/** What the connections of one drain share: what they were given, and what they know of each other. */
import type { EngineError, ErrorRecord } from '../base/errors.ts';
import type { SmtpSession } from '../smtp/session.ts';
import type { DeliverPorts } from './deliver.ts';
import type { SendLimits } from './limits.ts';
import type { Work } from './prepare.ts';
import type { Judgement } from './verdict.ts';

export interface DrainInput {
  readonly limits: SendLimits;
  readonly connections: number;
  readonly deliver: DeliverPorts;
  /** The next attempts, written down; empty: nothing more may be sent now. */
  readonly claim: (entriesMax: number) => Promise<readonly Work[]>;
  readonly take: () => Promise<{ readonly session: SmtpSession; readonly wasIdle: boolean }>;
  readonly give: (session: SmtpSession) => void;
  /** Called for each attempt that came to a verdict. */
  readonly onJudged: (judgement: Judgement, work: Work) => void;
  readonly release: (attemptIds: readonly number[], lastError: string | null) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface Team {
  readonly input: DrainInput;
  /** As many as the server was seen to grant. */
  connectionsMax: number;
  openCount: number;
  trouble: ErrorRecord | null;
  /** Ours: a store that fails, a bug. */
  failure: EngineError | null;
  onOpened: () => void;
  /** The account is in trouble: nobody begins anything more. */
  stop: (trouble: ErrorRecord) => void;
  /** We are. */
  fail: (error: unknown) => void;
}
