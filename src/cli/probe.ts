/** One login for `account test` and `account add`: what a server says, or an error that says what is wrong. */
import type { Credentials } from '../base/credentials.ts';
import { createLink } from '../imap/link.ts';
import type { Probe } from '../imap/probe.ts';
import type { SmtpProbe } from '../smtp/probe.ts';
import { smtpTimeouts } from '../smtp/session.ts';
import type { ServerAddress } from '../store/store.ts';
import type { CliContext } from './context.ts';

export async function probe(
  context: Pick<CliContext, 'stderr' | 'loadConfig'>,
  imap: ServerAddress,
  credentials: Credentials,
  onWarning = (text: string): void => void context.stderr.write(`${text}\n`),
): Promise<Probe> {
  const { probeServer } = await import('../imap/probe.ts');
  const { config } = await context.loadConfig();
  const timeoutMs = config.EMAIL_NETWORK_TIMEOUT * 1000;
  // Told only when all is well: what went wrong is one line, and these would come before it.
  const warnings: string[] = [];
  const result = await probeServer({
    ...imap,
    credentials,
    link: createLink(),
    wireNames: new Map(),
    literalBytesMax: 1024 * 1024,
    room: null,
    commandTimeoutMs: timeoutMs,
    transferTimeoutMsPerMib: timeoutMs,
    signal: new AbortController().signal,
    onWarning: (text) => void warnings.push(text),
  });
  for (const warning of warnings) onWarning(warning);
  return result;
}

export async function probeSmtp(
  context: Pick<CliContext, 'loadConfig'>,
  smtp: ServerAddress & { readonly allowPlaintext: boolean },
  credentials: Credentials,
): Promise<SmtpProbe> {
  const { probeSmtpServer } = await import('../smtp/probe.ts');
  const { config } = await context.loadConfig();
  return probeSmtpServer({
    ...smtp,
    credentials,
    timeouts: smtpTimeouts(config.EMAIL_NETWORK_TIMEOUT * 1000),
    signal: new AbortController().signal,
  });
}
