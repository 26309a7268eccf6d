/** What VANISHED names costs by its length on the wire, not by how many UIDs it could be (RFC 7162 3.2.10). */
import { afterEach, describe, expect, it } from 'vitest';
import { usualCapabilities } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { sessionOn } from '../support/one-session.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const capabilities = [...usualCapabilities, 'QRESYNC', 'IDLE'];

describe('VANISHED', () => {
  it.each([
    ['every UID there can be, again and again', '1:4294967295\r\n', [[1, 4_294_967_295]]],
    [
      'single UIDs and ranges, also backwards',
      '3,9:7,8,20\r\n',
      [
        [3, 3],
        [7, 9],
        [20, 20],
      ],
    ],
    ['what is no UID', '0,5:4294967296,99999999999,4\r\n', [[4, 4]]],
  ])('that names %s is taken at once', async (_, named, vanished) => {
    const line = `* VANISHED (EARLIER) ${named}`;
    const session = await sessionOn(
      {
        folders: [folder('INBOX', 3)],
        capabilities,
        script: ({ verb, args }, honest) =>
          verb === 'EXAMINE' && args.includes('QRESYNC')
            ? { parts: [...honest.slice(0, -1), line.repeat(20), ...honest.slice(-1)] }
            : undefined,
      },
      {},
      cleanups,
    );
    const opened = await session.openFolder('INBOX', { since: { uidValidity: 1000, modseq: 1n } });
    expect(opened.changes?.vanished).toEqual(vanished);
  });

  it('of a message that goes while its folder is open lowers the count', async () => {
    const session = await sessionOn(
      {
        folders: [folder('INBOX', 5)],
        capabilities,
        script: ({ verb }, honest) =>
          verb === 'UID SEARCH' ? { parts: ['* VANISHED 2:3\r\n', ...honest] } : undefined,
      },
      {},
      cleanups,
    );
    await session.openFolder('INBOX');
    await session.searchUids({ first: 1 });
    expect(session.exists).toBe(3);
  });
});
