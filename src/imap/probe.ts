/** `account test`: what a server says when one logs in. */
import { openSession } from './open-session.ts';
import type { ObservedFolder, SessionOptions } from './session.ts';

export interface Probe {
  readonly capabilities: readonly string[];
  readonly folders: readonly ObservedFolder[];
  readonly roundTripMs: number;
  readonly mechanism: string;
}

export async function probeServer(options: SessionOptions): Promise<Probe> {
  const session = await openSession(options);
  try {
    const { folders } = await session.listFolders({ withStatus: true });
    const { capabilities, roundTripMs, mechanism } = session;
    return { capabilities: capabilities.names, folders, roundTripMs, mechanism };
  } finally {
    await session.close();
  }
}
