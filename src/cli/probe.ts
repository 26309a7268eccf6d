/** One login for `account test` and `account add`: what the server says, or an error that says what is wrong. */
import type { Credentials } from '../base/credentials.ts';
import type { Probe } from '../imap/probe.ts';
import { createLink } from '../imap/session.ts';
import type { ServerAddress } from '../store/store.ts';
import type { CliContext } from './context.ts';

const commandTimeoutMs = 30_000;

export async function probe(
  context: Pick<CliContext, 'stderr'>,
  imap: ServerAddress,
  credentials: Credentials,
  onWarning = (text: string): void => void context.stderr.write(`${text}\n`),
): Promise<Probe> {
  const { probeServer } = await import('../imap/probe.ts');
  return probeServer({
    ...imap,
    credentials,
    link: createLink(),
    wireNames: new Map(),
    literalBytesMax: 1024 * 1024,
    commandTimeoutMs,
    transferTimeoutMsPerMib: commandTimeoutMs,
    signal: new AbortController().signal,
    onWarning,
  });
}
