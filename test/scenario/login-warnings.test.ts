/** What stands in the log of a login that fails: its error, once; and what the server is told of us. */
import { expect, it, onTestFinished } from 'vitest';
import { openSession } from '../../src/imap/open-session.ts';
import type { ImapSession } from '../../src/imap/session.ts';
import { type FakeOptions, startFakeImap, usualCapabilities } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { sessionOptions } from '../support/one-session.ts';

async function logIn(script: FakeOptions['script']): Promise<{ opening: Promise<ImapSession>; warnings: string[] }> {
  const server = await startFakeImap({ folders: [folder('INBOX', 0)], ...(script && { script }) });
  onTestFinished(() => server.stop());
  const warnings: string[] = [];
  const opening = openSession({
    ...sessionOptions(server.port),
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

it('the server is told our name, and not the library’s maker (RFC 2971)', async () => {
  const told: string[] = [];
  const server = await startFakeImap({
    folders: [folder('INBOX', 0)],
    capabilities: [...usualCapabilities, 'ID'],
    script: ({ verb, args }) => {
      if (verb === 'ID') told.push(args);
      return undefined;
    },
  });
  onTestFinished(() => server.stop());
  const session = await openSession(sessionOptions(server.port));
  expect(told).toEqual(['("name" "backproc")']);
  await session.close();
});
