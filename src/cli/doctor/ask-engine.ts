/**
 * What a running engine says of itself. The place where `status` comes in: the record has the address of the control socket.
 * Until then its lock and its beat speak for it (engine-lock.ts).
 */
import type { HolderRecord } from '../../engine/holder.ts';
import type { Finding } from './finding.ts';

export async function askEngine(_record: HolderRecord): Promise<Finding[]> {
  return [];
}
