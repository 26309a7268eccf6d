/** Answers that never end, of many servers at once, are bounded together (RELIABILITY fault 20). */
import { afterEach, describe, expect, it } from 'vitest';
import { type AnswerRoom, createAnswerRoom } from '../../src/imap/answer-room.ts';
import type { ImapSession } from '../../src/imap/session.ts';
import type { FakeOptions } from '../support/fake-imap-server.ts';
import { folder, message } from '../support/fake-mailbox.ts';
import { sessionOn } from '../support/one-session.ts';

const mib = 1024 * 1024;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function open(room: AnswerRoom, script?: FakeOptions['script']): Promise<ImapSession> {
  const raw = Buffer.alloc(3 * mib, 'x');
  const folders = [folder('INBOX', 1, { messages: [message(1, 'INBOX', { raw })] })];
  return sessionOn(script ? { folders, script } : { folders }, { room }, cleanups);
}

const smallRoom = (): AnswerRoom =>
  createAnswerRoom({
    heldKib: new SharedArrayBuffer(8 * Int32Array.BYTES_PER_ELEMENT),
    slot: 0,
    bytesMax: 4 * mib,
    isMemoryShort: () => true,
  });

const lineWithoutEnd = Buffer.alloc(5 * mib, 'A');
const endless: Readonly<Record<string, Buffer[]>> = {
  'line without an end': [Buffer.from('* OK '), lineWithoutEnd],
  'literal that is larger': [Buffer.from(`* 1 FETCH (UID 1 BODY[] {${15 * mib}}\r\n`)],
};

describe('when the room for unfinished answers is used up', () => {
  for (const [what, parts] of Object.entries(endless)) {
    it(`a FETCH that is answered by a ${what} ends, and the next mail has the room`, async () => {
      const room = smallRoom();
      const hostile = await open(room, ({ verb }) => (verb === 'UID FETCH' ? { parts } : undefined));
      await hostile.openFolder('INBOX');
      await expect(hostile.fetchBodies([[1, 1]], () => undefined)).rejects.toMatchObject({ code: 'memory_short' });
      const honest = await open(room);
      await honest.openFolder('INBOX');
      const sizes: number[] = [];
      await honest.fetchBodies([[1, 1]], ({ raw }) => void sizes.push(raw.length));
      expect(sizes).toEqual([3 * mib]);
    });
  }

  it('so does any other command', async () => {
    const hostile = await open(smallRoom(), ({ verb }) =>
      verb === 'LIST' ? { parts: [Buffer.from('* OK '), lineWithoutEnd] } : undefined,
    );
    await expect(hostile.listFolders({ withStatus: true })).rejects.toMatchObject({ code: 'memory_short' });
  });
});
