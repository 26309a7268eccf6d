/** SmtpSession over nodemailer's connection (see session.ts for what each verb promises). */
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import { EngineError } from '../base/errors.ts';
import { connectSmtp } from './connect.ts';
import { addUtf8Keyword, internalsOf, mechanismsOf } from './corrections.ts';
import type { Envelope, OpenSmtp, SendHooks, SendOutcome, SmtpCapabilities } from './session.ts';
import { createTransaction, type Transaction } from './transaction.ts';

const quitMs = 1000;
const resetMs = 10_000;

export const openSmtp: OpenSmtp = async (options) => {
  let current: Transaction | null = null;
  const connection = await connectSmtp(options, () => current?.onBodyEnd());
  const utf8 = addUtf8Keyword(connection);
  const capabilities = capabilitiesOf(connection);
  let sentCount = 0;
  let isTrusted = true;
  connection.once('end', () => {
    isTrusted = false;
  });

  const send = async (
    envelope: Envelope,
    message: Uint8Array,
    hooks: SendHooks,
    signal: AbortSignal,
  ): Promise<SendOutcome> => {
    if (current !== null) throw new EngineError('bug', 'two messages at a time on one SMTP connection');
    utf8.isOn = envelope.needsUtf8 && capabilities.hasSmtpUtf8;
    current = createTransaction({ connection, timeouts: options.timeouts, envelope, message, hooks, signal });
    try {
      const outcome = await current.run();
      sentCount += 1;
      isTrusted &&= await isStillInStep(connection, outcome);
      return outcome;
    } finally {
      current = null;
    }
  };
  return {
    capabilities,
    get sentCount() {
      return sentCount;
    },
    get isUsable() {
      return isTrusted;
    },
    send,
    close: () => quit(connection),
    abort: () => connection.close(),
  };
};

function capabilitiesOf(connection: SMTPConnection): SmtpCapabilities {
  const { _supportedExtensions: names, _maxAllowedSize: size } = internalsOf(connection);
  return {
    hasAuth: mechanismsOf(connection) !== null,
    hasSmtpUtf8: names.includes('SMTPUTF8'),
    has8BitMime: names.includes('8BITMIME'),
    hasPipelining: names.includes('PIPELINING'),
    sizeBytesMax: size > 0 ? size : null,
  };
}

/**
 * After a refusal the transaction may still stand at the server: RSET. Also after one of the final dot: Postfix 3.7 with
 * smtpd_end_of_data_restrictions answers the next MAIL with 503. After anything else that is not success: a new one.
 */
async function isStillInStep(connection: SMTPConnection, { phase, reply, failure }: SendOutcome): Promise<boolean> {
  const isClean = failure === null && reply !== null && reply.code !== 421;
  const isRefusal = isClean && reply.code >= 400;
  if (isClean && phase === 'body_sent' && !isRefusal) return true;
  const isRefused = isRefusal && phase !== 'data_started';
  const isReset = isRefused && (await reset(connection));
  if (!isReset) connection.close();
  return isReset;
}

function reset(connection: SMTPConnection): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), resetMs);
    const settle = (isReset: boolean): void => {
      clearTimeout(timer);
      connection.off('end', onEnd);
      resolve(isReset);
    };
    const onEnd = (): void => settle(false);
    connection.once('end', onEnd);
    connection.reset((error) => settle(!error));
  });
}

/** A courtesy: bounded, and no failure of it matters. */
function quit(connection: SMTPConnection): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      connection.close();
      resolve();
    };
    const timer = setTimeout(end, quitMs);
    if (connection.destroyed) return end();
    connection.once('end', end);
    connection.quit();
  });
}
