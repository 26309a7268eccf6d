/** One session on a server of its own, without an installation around it; both end with the test file's cleanups. */
import { createLink } from '../../src/imap/link.ts';
import { openSession } from '../../src/imap/open-session.ts';
import type { ImapSession, SessionOptions } from '../../src/imap/session.ts';
import { type FakeOptions, startFakeImap } from './fake-imap-server.ts';

/** To a server on this machine that takes any login. */
export const sessionOptions = (port: number): SessionOptions => ({
  host: '127.0.0.1',
  port,
  security: 'none',
  credentials: { kind: 'password', user: 'anna', password: 'canary-password' },
  link: createLink(),
  wireNames: new Map(),
  literalBytesMax: 16 * 1024 * 1024,
  room: null,
  commandTimeoutMs: 10_000,
  transferTimeoutMsPerMib: 10_000,
  signal: new AbortController().signal,
  onWarning: () => undefined,
});

export async function sessionOn(
  options: FakeOptions,
  more: Partial<SessionOptions>,
  cleanups: (() => unknown)[],
): Promise<ImapSession> {
  const server = await startFakeImap(options);
  cleanups.push(() => server.stop());
  const session = await openSession({ ...sessionOptions(server.port), ...more });
  cleanups.push(() => session.abort());
  return session;
}
