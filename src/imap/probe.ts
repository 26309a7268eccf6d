/** `account test`: what a server says when one logs in. */
import { openSession } from './open-session.ts';
import type { ObservedFolder, SessionOptions } from './session.ts';

export interface Probe {
  readonly capabilities: readonly string[];
  readonly folders: readonly ObservedFolder[];
  readonly roundTripMs: number;
}

export async function probeServer(options: SessionOptions): Promise<Probe> {
  const session = await openSession(options);
  try {
    const { folders } = await session.listFolders({ withStatus: true });
    return { capabilities: session.capabilities.names, folders, roundTripMs: session.roundTripMs };
  } finally {
    await session.close();
  }
}
