/** What a server says of its folder's size lengthens a deadline within reason only. */
import { afterEach, expect, it } from 'vitest';
import { folder } from '../support/fake-mailbox.ts';
import { sessionOn } from '../support/one-session.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

it('a folder of four billion messages, as the server says, is listed like another', async () => {
  const session = await sessionOn(
    {
      folders: [folder('INBOX', 3)],
      delayMs: 100,
      script: ({ verb }, honest) =>
        verb === 'EXAMINE'
          ? { parts: [...honest.slice(0, -1), '* 4294967295 EXISTS\r\n', ...honest.slice(-1)] }
          : undefined,
    },
    {},
    cleanups,
  );
  await session.openFolder('INBOX');
  expect(session.exists).toBe(4_294_967_295);
  expect(await session.searchUids({ first: 1 })).toEqual([[1, 3]]);
});
