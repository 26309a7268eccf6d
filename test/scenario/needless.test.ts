/** What a server sends without having been asked, as fast as it can, ends by its own bound (RELIABILITY fault 15). */
import { afterEach, describe, expect, it } from 'vitest';
import { folder } from '../support/fake-mailbox.ts';
import { sessionOn } from '../support/one-session.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const mib = 1024 * 1024;
const body = 'x'.repeat(64 * 1024);
const row = `* 1 FETCH (UID 900 FLAGS () INTERNALDATE "23-Nov-2026 10:00:00 +0000" BODY[] {${body.length}}\r\n${body})\r\n`;
const filled = (text: string): Buffer => Buffer.from(text.repeat(Math.ceil(mib / text.length)));

const needless: Readonly<Record<string, Buffer>> = {
  'bodies of another message': filled(row),
  'the body of one message again and again': filled(row.replace('UID 900', 'UID 1')),
  'answers to other commands': filled(`* OK ${'x'.repeat(5000)}\r\n`),
};

describe('a FETCH of bodies that is answered without end by', () => {
  for (const [what, piece] of Object.entries(needless))
    it(`${what} is given up, however fast they come`, async () => {
      const parts = Array.from({ length: 50 }, () => piece);
      const session = await sessionOn(
        { folders: [folder('INBOX', 3)], script: ({ verb }) => (verb === 'UID FETCH' ? { parts } : undefined) },
        {},
        cleanups,
      );
      await session.openFolder('INBOX');
      const uids: number[] = [];
      const fetching = session.fetchBodies([[1, 3]], ({ uid }) => void uids.push(uid));
      await expect(fetching).rejects.toMatchObject({
        code: 'response_too_large',
        detail: expect.stringContaining('nobody'),
      });
      expect(uids.length).toBeLessThanOrEqual(1);
    });
});

describe('a FETCH of flags that is answered without end', () => {
  it('with messages that the folder cannot have is given up: each would be kept', async () => {
    const rows = Array.from({ length: 120_000 }, (_, uid) => `* ${uid + 1} FETCH (UID ${uid + 1} FLAGS ())\r\n`);
    const session = await sessionOn(
      {
        folders: [folder('INBOX', 3)],
        script: ({ verb }) => (verb === 'UID FETCH' ? { parts: [rows.join('')] } : undefined),
      },
      { commandTimeoutMs: 5000 },
      cleanups,
    );
    await session.openFolder('INBOX');
    await expect(session.fetchFlags({ first: 1 })).rejects.toMatchObject({
      code: 'response_too_large',
      detail: expect.stringContaining('3 messages') as unknown,
    });
  });
});
