/**
 * One SMTP transaction: MAIL, RCPT, DATA, body, final dot. It always comes to an outcome: by the server's replies, by a broken
 * connection, by the deadline of the step it is in, by the abort signal. A signal cuts what has not begun to leave; a body under
 * way gets a short while to end, because cutting it off after the final dot would leave nobody knowing.
 */

import { isAscii } from 'node:buffer';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { asEngineError, EngineError } from '../base/errors.ts';
import { BodyStream } from './body-stream.ts';
import { toSmtpFailure } from './failure.ts';
import { parseReply, replyOrUnreadable } from './reply.ts';
import type { Envelope, RecipientReply, SendHooks, SendOutcome, SendPhase, SmtpTimeouts } from './session.ts';
import { createStepTimer } from './step-timer.ts';

export interface TransactionInput {
  readonly connection: SMTPConnection;
  readonly timeouts: SmtpTimeouts;
  readonly envelope: Envelope;
  readonly message: Uint8Array;
  readonly hooks: SendHooks;
  readonly signal: AbortSignal;
}

export interface Transaction {
  run(): Promise<SendOutcome>;
  /** The final dot has been handed to the socket. */
  onBodyEnd(): void;
}

/** A reply that takes longer is waited for as `body_sent`, durably: whoever looks, or starts anew, can see what is out. */
const slowReplyMs = 100;

type Ended = Pick<SendOutcome, 'reply' | 'failure'>;

/** nodemailer keeps its book of recipients on the envelope that it was given. */
interface KeptEnvelope {
  readonly from: string;
  readonly to: string[];
  readonly size: number;
  readonly use8BitMime: boolean;
  accepted?: readonly string[];
  rejectedErrors?: readonly unknown[];
  /** MAIL was refused. */
  mailError?: unknown;
}

export function createTransaction(input: TransactionInput): Transaction {
  const { connection, timeouts, hooks, signal } = input;
  const kept: KeptEnvelope = {
    from: input.envelope.from,
    to: [...input.envelope.to],
    size: input.message.length,
    use8BitMime: !isAscii(input.message),
  };
  let phase: SendPhase = 'envelope';
  let hasEnded = false;
  let settle: (ended: Ended) => void = () => undefined;
  let lateTimer: NodeJS.Timeout | undefined;
  const fail = (failure: EngineError): void => {
    hasEnded = true;
    settle({ reply: null, failure: failure.toRecord() });
    connection.close();
  };
  const timer = createStepTimer(fail);
  const finishSoon = createStepTimer(fail);

  const onAbort = (): void => {
    if (phase === 'envelope') fail(new EngineError('aborted', 'before the body began to leave'));
    else finishSoon.start('stopping: the rest of the body and its reply', timeouts.finishMs);
  };
  const body = new BodyStream(input.message, {
    async onFirstRead() {
      timer.stop();
      try {
        expectGoAhead(connection);
        await hooks.onDataStarted();
      } catch (error) {
        fail(asEngineError(error));
      }
      if (hasEnded) throw new Error('the body may not leave');
      phase = 'data_started';
    },
    onProgress: () => timer.start('DATA: the server takes no more of the body', timeouts.blockMs),
  });

  const exchange = (): Promise<Ended> =>
    new Promise((resolve) => {
      settle = resolve;
      timer.start('MAIL, RCPT, DATA', envelopeMs(timeouts, kept.to.length));
      connection.send(kept, body, (error, info) => {
        if (error) resolve(endedBy(error));
        else resolve({ reply: parseReply(info?.response), failure: null });
      });
      if (signal.aborted) onAbort();
    });

  return {
    async run() {
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        const ended = await exchange();
        return { phase, ...resultOf(kept, ended) };
      } finally {
        signal.removeEventListener('abort', onAbort);
        timer.stop();
        finishSoon.stop();
        clearTimeout(lateTimer);
        body.destroy();
      }
    },
    onBodyEnd() {
      if (phase !== 'data_started') return;
      phase = 'body_sent';
      lateTimer = setTimeout(() => hooks.onReplyLate(), Math.min(slowReplyMs, timeouts.finalReplyMs / 2));
      timer.start('the reply to the final dot', timeouts.finalReplyMs);
    },
  };
}

/**
 * The library takes 250 for 354. A server that says so waits for commands, or has lost step with us: it would read the lines of the
 * mail as commands.
 */
function expectGoAhead({ lastServerResponse }: SMTPConnection): void {
  const { code, text } = replyOrUnreadable(lastServerResponse);
  if (code !== 354) throw new EngineError('protocol_violation', `DATA was answered with ${text} instead of 354`);
}

/** A tenth of a command's time for each recipient more. */
const envelopeMs = ({ envelopeMs: forOne, commandMs }: SmtpTimeouts, recipients: number): number =>
  forOne + (commandMs / 10) * (recipients - 1);

/** Where MAIL was refused, all that a pipelining client hears after it (RFC 2920 3.1) is `503 need MAIL`, of each recipient and of DATA. */
function resultOf(kept: KeptEnvelope, ended: Ended): Omit<SendOutcome, 'phase'> {
  const { accepted = [], mailError } = kept;
  if (mailError === undefined) return { accepted, refused: refusedOf(kept), ...ended };
  return { accepted: [], refused: [], ...endedBy(mailError) };
}

/** A reply of the server ends the transaction as that; anything else broke it. */
function endedBy(error: unknown): Ended {
  const fields: Record<string, unknown> = typeof error === 'object' && error !== null ? { ...error } : {};
  const reply = parseReply(fields.response);
  if (reply !== null && reply.code >= 400) return { reply, failure: null };
  return { reply: null, failure: toSmtpFailure(error, 'sending').toRecord() };
}

function refusedOf({ rejectedErrors = [] }: KeptEnvelope): RecipientReply[] {
  return rejectedErrors.flatMap((error) => {
    const fields: Record<string, unknown> = typeof error === 'object' && error !== null ? { ...error } : {};
    const reply = replyOrUnreadable(fields.response);
    return typeof fields.recipient === 'string' ? [{ ...reply, address: fields.recipient }] : [];
  });
}
