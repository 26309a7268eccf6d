/** SRV and MX records. A name without them is no failure; a DNS that does not answer is. Bounded in time. */
import { promises as dns } from 'node:dns';
import type { SrvRecord } from './srv.ts';

const timeoutMs = 3_000;
const triesMax = 2;

export interface Resolver {
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** Host names, the preferred first. */
  mx(name: string): Promise<readonly string[]>;
}

/** `servers` for tests: `127.0.0.1:5353`; else the system's. */
export function createResolver(servers?: readonly string[]): Resolver {
  const resolver = new dns.Resolver({ timeout: timeoutMs, tries: triesMax });
  if (servers) resolver.setServers(servers);
  return {
    srv: (name) => orNone(resolver.resolveSrv(name)),
    async mx(name) {
      const records = await orNone(resolver.resolveMx(name));
      return [...records].sort((a, b) => a.priority - b.priority).map(({ exchange }) => exchange);
    },
  };
}

async function orNone<T>(asked: Promise<T[]>): Promise<T[]> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^(ENOTFOUND|ENODATA)$/.test(String(error.code))) return [];
    throw error;
  }
}
