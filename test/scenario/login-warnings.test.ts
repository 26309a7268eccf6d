/** What stands in the log of a login that fails: its error, once. */
import { expect, it, onTestFinished } from 'vitest';
import { createLink } from '../../src/imap/link.ts';
import { openSession } from '../../src/imap/open-session.ts';
import type { ImapSession } from '../../src/imap/session.ts';
import { type FakeOptions, startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';

async function logIn(script: FakeOptions['script']): Promise<{ opening: Promise<ImapSession>; warnings: string[] }> {
  const server = await startFakeImap({ folders: [folder('INBOX', 0)], ...(script && { script }) });
  onTestFinished(() => server.stop());
  const warnings: string[] = [];
  const opening = openSession({
    host: '127.0.0.1',
    port: server.port,
    security: 'none',
    credentials: { kind: 'password', user: 'anna', password: 'canary-password' },
    link: createLink(),
    wireNames: new Map(),
    literalBytesMax: 1024 * 1024,
    room: null,
    commandTimeoutMs: 5000,
    transferTimeoutMsPerMib: 5000,
    signal: new AbortController().signal,
    onWarning: (text) => void warnings.push(text),
  });
  return { opening, warnings };
}

it('a refused login is told by its error alone', async () => {
  const refusal = '[AUTHENTICATIONFAILED] no';
  const { opening, warnings } = await logIn(({ verb, tag }) =>
    verb === 'LOGIN' ? { parts: [`${tag} NO ${refusal}\r\n`] } : undefined,
  );
  await expect(opening).rejects.toMatchObject({ code: 'auth_failed', detail: expect.stringContaining(refusal) });
  expect(warnings).toEqual([]);
});

it('what the library complained of on the way to a login that went well is told', async () => {
  const { opening, warnings } = await logIn(({ verb }, honest) =>
    verb === 'LOGIN' ? { parts: ['* LIST (((\r\n', ...honest] } : undefined,
  );
  (await opening).abort();
  expect(warnings).not.toEqual([]);
});
