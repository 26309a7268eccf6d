/**
 * INBOX in IDLE (RFC 2177). It tells what changes from then on; what changed since a pass last looked, and before IDLE began, shows
 * in the numbers that the server gives when INBOX is opened for it.
 */
import type { ImapFlow } from 'imapflow';
import { isInbox } from './folder-name.ts';
import type { FolderStatus, OpenedFolder } from './session.ts';

export type Look = Pick<FolderStatus, 'messages' | 'uidNext' | 'highestModseq'>;

export interface Watching {
  /** What a pass was told, by a listing or by opening the folder; it goes by this, so all until then is its own to take up. */
  note(path: string, look: Look | null): void;
  /** See ImapSession.watchInbox. */
  watch(open: () => Promise<OpenedFolder>, onStir: () => void): Promise<void>;
}

const events = ['exists', 'expunge', 'flags'] as const;

export function createWatching(client: ImapFlow): Watching {
  /** Of the last pass, and of the last watch. */
  let looked: Look | null = null;
  let watched: Look | null = null;
  return {
    note(path, look) {
      if (isInbox(path)) looked = look;
    },
    async watch(open, onStir) {
      const passLook = looked;
      const { uidNext, highestModseq } = await open();
      for (const event of events) client.on(event, onStir);
      try {
        const messages = client.mailbox ? client.mailbox.exists : 0;
        const look = { messages, uidNext, highestModseq };
        if (passLook !== null && isNews(look, passLook, watched)) onStir();
        watched = look;
        // The library ends its IDLE by itself when another command is to be sent, and resolves.
        await client.idle();
      } finally {
        for (const event of events) client.off(event, onStir);
      }
    },
  };
}

/** Where listing and opening never agree, what the last watch saw is no news: the pass that it led to has looked. */
export function isNews(look: Look, pass: Look, lastWatch: Look | null): boolean {
  return differs(look, pass) && (lastWatch === null || differs(look, lastWatch));
}

/** What one of them does not say differs in nothing. */
function differs(a: Look, b: Look): boolean {
  return a.messages !== b.messages || differsIn(a.uidNext, b.uidNext) || differsIn(a.highestModseq, b.highestModseq);
}

const differsIn = <T>(a: T | null, b: T | null): boolean => a !== null && b !== null && a !== b;
