/**
 * INBOX in IDLE (RFC 2177). It tells what changes from then on; what changed since a pass last looked, and before IDLE began, shows
 * in the numbers that the server gives when INBOX is opened for it.
 */
import type { ImapFlow } from 'imapflow';
import { isInbox } from './folder-name.ts';
import type { FolderStatus, OpenedFolder } from './session.ts';

type Look = Pick<FolderStatus, 'messages' | 'uidNext' | 'highestModseq'>;

export interface Watching {
  /** What a pass was told, by a listing or by opening the folder; it goes by this, so all until then is its own to take up. */
  note(path: string, look: Look | null): void;
  /** See ImapSession.watchInbox. */
  watch(open: () => Promise<OpenedFolder>, onStir: () => void): Promise<void>;
}

const events = ['exists', 'expunge', 'flags'] as const;
/** So often in a row the numbers are believed: there are servers whose listing and opening never agree. */
const newsInRowMax = 3;

export function createWatching(client: ImapFlow): Watching {
  let looked: Look | null = null;
  let newsInRow = 0;
  return {
    note(path, look) {
      if (isInbox(path)) looked = look;
    },
    async watch(open, onStir) {
      const before = looked;
      const { uidNext, highestModseq } = await open();
      for (const event of events) client.on(event, onStir);
      try {
        const messages = client.mailbox ? client.mailbox.exists : 0;
        newsInRow = before !== null && differs({ messages, uidNext, highestModseq }, before) ? newsInRow + 1 : 0;
        if (newsInRow > 0 && newsInRow <= newsInRowMax) onStir();
        // The library ends its IDLE by itself when another command is to be sent, and resolves.
        await client.idle();
      } finally {
        for (const event of events) client.off(event, onStir);
      }
    },
  };
}

/** What one of them does not say differs in nothing. */
function differs(a: Look, b: Look): boolean {
  return a.messages !== b.messages || differsIn(a.uidNext, b.uidNext) || differsIn(a.highestModseq, b.highestModseq);
}

const differsIn = <T>(a: T | null, b: T | null): boolean => a !== null && b !== null && a !== b;
