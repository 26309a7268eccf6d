/** The WAL: moved into the database and cut when nobody is in the way. */
import { statSync } from 'node:fs';
import type { WalReport } from '../upkeep.ts';
import type { Connection } from './connection.ts';

export const walFileOf = (file: string): string => `${file}-wal`;

/**
 * A checkpoint that empties the WAL waits for readers, and all that time nothing can be written: so it does not wait. It
 * cannot run inside a transaction (group-commit.ts runs it alone).
 */
export function shrinkWal(c: Connection): WalReport {
  const timeoutMs = Number(c.database.pragma('busy_timeout', { simple: true }));
  c.database.pragma('busy_timeout = 0');
  try {
    const isHeld = Number(c.database.pragma('wal_checkpoint(TRUNCATE)', { simple: true })) !== 0;
    return { bytes: statSync(walFileOf(c.database.name), { throwIfNoEntry: false })?.size ?? 0, isHeld };
  } finally {
    c.database.pragma(`busy_timeout = ${timeoutMs}`);
  }
}
