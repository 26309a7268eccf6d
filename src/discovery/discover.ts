/**
 * Looks for an address's servers: our table of providers, the autoconfig of the domain over HTTPS, SRV records, and a guess by
 * MX. All at once; what fails is told beside what was found. Never throws for what others answer.
 */
import { type AutoconfigServers, parseAutoconfig } from './autoconfig-xml.ts';
import type { HttpsGet } from './https-get.ts';
import { providerOfDomain, providerOfExchanges } from './providers.ts';
import type { Resolver } from './resolver.ts';
import { type Address, type Found, rankFound } from './settings.ts';
import { type SrvRecord, srvNames, srvSettings } from './srv.ts';

export interface DiscoveryPorts {
  readonly resolver: Resolver;
  readonly get: HttpsGet;
  readonly signal: AbortSignal;
  /** For tests. */
  readonly allowsLoopback: boolean;
}

export interface Discovery {
  /** Best first. */
  readonly found: readonly Found[];
  /** Where nothing was found, and why; for people. */
  readonly missed: readonly { readonly where: string; readonly why: string }[];
}

interface Attempt {
  readonly where: string;
  readonly look: () => Promise<Found | string>;
}

export async function discover(ports: DiscoveryPorts, address: Address): Promise<Discovery> {
  const known = providerOfDomain(address);
  if (known) return { found: [known], missed: [] };
  const attempts = [...autoconfigAttempts(ports, address), srvAttempt(ports, address), mxAttempt(ports, address)];
  const results = await Promise.all(attempts.map(outcomeOf));
  return {
    found: rankFound(results.flatMap(({ result }) => (typeof result === 'string' ? [] : [result]))),
    missed: results.flatMap(({ where, result }) => (typeof result === 'string' ? [{ where, why: result }] : [])),
  };
}

async function outcomeOf({
  where,
  look,
}: Attempt): Promise<{ readonly where: string; readonly result: Found | string }> {
  try {
    return { where, result: await look() };
  } catch (error) {
    return { where, result: error instanceof Error ? error.message : String(error) };
  }
}

function autoconfigAttempts({ get, signal, allowsLoopback }: DiscoveryPorts, address: Address): Attempt[] {
  const query = `?emailaddress=${encodeURIComponent(address.email)}`;
  const places = [
    `https://autoconfig.${address.domain}/mail/config-v1.1.xml`,
    `https://${address.domain}/.well-known/autoconfig/mail/config-v1.1.xml`,
  ];
  return places.map((where) => ({
    where,
    async look() {
      const { status, body } = await get(`${where}${query}`, signal);
      if (status !== 200) return `HTTP ${status}`;
      return autoconfigFound(parseAutoconfig(body, address, allowsLoopback), where);
    },
  }));
}

function autoconfigFound({ imap, smtp }: AutoconfigServers, where: string): Found | string {
  if (!imap) return 'it names no IMAP server with TLS';
  return { source: 'autoconfig', where, isVouchedFor: true, imap, smtp, oauth: null };
}

function srvAttempt({ resolver, allowsLoopback }: DiscoveryPorts, address: Address): Attempt {
  const ask = (service: keyof typeof srvNames): Promise<readonly SrvRecord[]> =>
    resolver.srv(`${srvNames[service]}.${address.domain}`);
  return {
    where: `SRV records of ${address.domain}`,
    async look() {
      const [imaps, imap, submissions, submission] = await Promise.all([
        ask('imaps'),
        ask('imap'),
        ask('submissions'),
        ask('submission'),
      ]);
      return srvSettings({ imaps, imap, submissions, submission }, address, allowsLoopback) ?? 'none for IMAP';
    },
  };
}

const mxAttempt = ({ resolver }: DiscoveryPorts, address: Address): Attempt => ({
  where: `MX records of ${address.domain}`,
  look: async () => providerOfExchanges(await resolver.mx(address.domain), address) ?? 'no provider that is known here',
});
