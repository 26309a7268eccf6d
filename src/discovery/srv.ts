/**
 * RFC 6186 and RFC 8314: `_imaps._tcp` and its kin in the DNS. Pure. Implicit TLS comes before STARTTLS (RFC 8314 5.1); a target of
 * `.` says that the service is not offered.
 */
import { type Address, type Found, type FoundServer, isHostName, isPort } from './settings.ts';

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export const srvNames = {
  imaps: '_imaps._tcp',
  imap: '_imap._tcp',
  submissions: '_submissions._tcp',
  submission: '_submission._tcp',
} as const;

export type SrvAnswers = Readonly<Record<keyof typeof srvNames, readonly SrvRecord[]>>;

export function srvSettings(answers: SrvAnswers, address: Address, allowsLoopback = false): Found | null {
  const serverOf = serverFor(address, allowsLoopback);
  const imap = serverOf(answers.imaps, 'tls') ?? serverOf(answers.imap, 'starttls');
  if (!imap) return null;
  const smtp = serverOf(answers.submissions, 'tls') ?? serverOf(answers.submission, 'starttls');
  return {
    source: 'srv',
    where: `${imap.security === 'tls' ? srvNames.imaps : srvNames.imap}.${address.domain} in the DNS`,
    isVouchedFor: [imap, smtp].every((server) => server === null || isWithin(server.host, address.domain)),
    imap,
    smtp,
    oauth: null,
  };
}

/** The whole address is the likelier login (RFC 6186 4). */
const serverFor =
  ({ email, localPart }: Address, allowsLoopback: boolean) =>
  (records: readonly SrvRecord[], security: FoundServer['security']): FoundServer | null => {
    const usable = records
      .map((record) => ({ ...record, host: record.name.replace(/\.$/, '').toLowerCase() }))
      .filter(({ host, port }) => isHostName(host, allowsLoopback) && isPort(port));
    const [first] = usable.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    return first ? { host: first.host, port: first.port, security, users: [email, localPart] } : null;
  };

const isWithin = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`);
