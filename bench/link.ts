/** How the peers reach the server: directly, or through link-proxy.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Link {
  readonly name: string;
  readonly port: number;
  close(): void;
}

export type LinkKind = 'loopback' | '30 ms';
const roundTripMs = 30;
const mbit = 100;

export async function openLink(kind: LinkKind, port: number): Promise<Link> {
  if (kind === 'loopback') return { name: kind, port, close: () => undefined };
  const file = join(import.meta.dirname, 'link-proxy.ts');
  const args = ['--import', 'jiti/register', file, port, roundTripMs, mbit].map(String);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [first]: unknown[] = await once(child.stdout, 'data');
  return { name: `${roundTripMs} ms, ${mbit} Mbit/s`, port: Number(String(first)), close: () => void child.kill() };
}
