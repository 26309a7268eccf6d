/**
 * DEFLATE for one connection: off until a long answer is asked for and it pays (link.ts). A pass that finds nothing new saves a
 * round trip, and a connection that waits in IDLE the memory of two compressors, here and at the server.
 */
import type { ImapFlow } from 'imapflow';
import type { RunCommand } from './command.ts';
import { deflate } from './corrections.ts';
import { deflatePays, type Link, noteTransfer, type Transfer } from './link.ts';

/** Answers of fewer rows are short. */
export const longBodyCount = 20;
export const longFlagCount = 1000;

export interface Compression {
  /** Before a long answer without mail: lines of flags become a tenth. */
  prepare(): Promise<void>;
  /** A long answer with mail, in its turn: what came is noted for all connections to come. */
  transfer(fetch: () => Promise<Transfer>): Promise<void>;
}

export function createCompression(client: ImapFlow, link: Link, run: RunCommand): Compression {
  let isDeflated = false;
  let isRefused = !client.capabilities.has('COMPRESS=DEFLATE');
  const turnOn = async (pays: boolean): Promise<void> => {
    if (isDeflated || isRefused || !pays) return;
    isDeflated = await run('COMPRESS', () => deflate(client));
    isRefused = !isDeflated;
  };
  return {
    prepare: () => turnOn(deflatePays(link, { triesPlain: false })),
    async transfer(fetch) {
      const pays = deflatePays(link, { triesPlain: true });
      // Claimed before anything is waited for: another connection may ask in the same turn.
      const isTrial = !isDeflated && !pays && !link.isTryingPlain;
      if (isTrial) link.isTryingPlain = true;
      try {
        await turnOn(pays);
        noteTransfer(link, isDeflated ? 'deflated' : 'plain', await link.turns.inTurn(fetch));
      } finally {
        if (isTrial) link.isTryingPlain = false;
      }
    },
  };
}
