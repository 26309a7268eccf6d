/** How large the store was, day by day: what doctor foretells the disk's end from. */
import type { Instant } from '../../base/clock.ts';
import type { StoreSize } from '../upkeep.ts';
import type { Connection } from './connection.ts';

/** More than a year says nothing about the present rate. */
const daysMax = 400;

export function storeSizes(c: Connection): StoreSize[] {
  return c.all<StoreSize>('SELECT at, bytes, free_bytes AS freeBytes FROM store_sizes ORDER BY day');
}

export function recordSize(c: Connection, at: Instant): void {
  const day = at.slice(0, 10);
  if (c.get('SELECT 1 FROM store_sizes WHERE day = ?', day)) return;
  const pragma = (name: string): number => Number(c.database.pragma(name, { simple: true }));
  const pageBytes = pragma('page_size');
  const [bytes, freeBytes] = [pragma('page_count') * pageBytes, pragma('freelist_count') * pageBytes];
  c.run('INSERT INTO store_sizes (day, at, bytes, free_bytes) VALUES (?, ?, ?, ?)', day, at, bytes, freeBytes);
  c.run('DELETE FROM store_sizes WHERE day NOT IN (SELECT day FROM store_sizes ORDER BY day DESC LIMIT ?)', daysMax);
}
