/**
 * Reads Thunderbird's autoconfig format (clientConfig 1.1). Pure. saxes is strict and knows no entities but XML's own five, so
 * nothing in the file can make it grow. What is no IMAP or SMTP, or offers no TLS, is left out. Throws SyntaxError.
 */
import { SaxesParser } from 'saxes';
import { type Address, type FoundServer, isHostName, isPort } from './settings.ts';

export interface AutoconfigServers {
  readonly imap: FoundServer | null;
  readonly smtp: FoundServer | null;
}

/** As the file has it, one text for each field; the first one counts. */
interface RawServer {
  readonly kind: 'imap' | 'smtp';
  readonly fields: Map<string, string>;
}

const depthMax = 20;
const kindOf: Readonly<Record<string, RawServer['kind']>> = {
  'incomingServer imap': 'imap',
  'outgoingServer smtp': 'smtp',
};

export function parseAutoconfig(xml: string, address: Address, allowsLoopback = false): AutoconfigServers {
  const servers = readServers(xml);
  const first = (kind: RawServer['kind']): FoundServer | null => {
    const usable = servers.filter((server) => server.kind === kind);
    return (
      usable.map((server) => toServer(server.fields, address, allowsLoopback)).find((server) => server !== null) ?? null
    );
  };
  return { imap: first('imap'), smtp: first('smtp') };
}

function readServers(xml: string): RawServer[] {
  const servers: RawServer[] = [];
  const path: string[] = [];
  let open: RawServer | null = null;
  let text = '';
  const parser = new SaxesParser({ xmlns: false });
  parser.on('error', (error) => {
    throw new SyntaxError(error.message);
  });
  parser.on('opentag', ({ name, attributes }) => {
    path.push(name);
    if (path.length > depthMax) throw new SyntaxError('nested too deep');
    if (path.length === 3 && path[0] === 'clientConfig' && path[1] === 'emailProvider') open = toRaw(name, attributes);
    text = '';
  });
  parser.on('text', (piece) => {
    text += piece;
  });
  parser.on('cdata', (piece) => {
    text += piece;
  });
  parser.on('closetag', ({ name }) => {
    if (path.length === 4 && open && !open.fields.has(name)) open.fields.set(name, text.trim());
    if (path.length === 3 && open) servers.push(open);
    if (path.length === 3) open = null;
    path.pop();
  });
  parser.write(xml).close();
  return servers;
}

function toRaw(name: string, attributes: Readonly<Record<string, string>>): RawServer | null {
  const kind = kindOf[`${name} ${attributes.type ?? ''}`];
  return kind ? { kind, fields: new Map() } : null;
}

function toServer(fields: ReadonlyMap<string, string>, address: Address, allowsLoopback: boolean): FoundServer | null {
  const host = filled(fields.get('hostname') ?? '', address).toLowerCase();
  const port = Number(fields.get('port'));
  const security = securities[fields.get('socketType')?.toUpperCase() ?? ''];
  if (!security || !isHostName(host, allowsLoopback) || !isPort(port)) return null;
  return { host, port, security, users: [userOf(fields.get('username'), address)] };
}

const securities: Readonly<Record<string, FoundServer['security']>> = { SSL: 'tls', STARTTLS: 'starttls' };

/** A placeholder that only Thunderbird's own dialogue could fill in leaves the address. */
function userOf(username: string | undefined, address: Address): string {
  const user = filled(username ?? '', address);
  return user === '' || user.includes('%') || /\p{Cc}/u.test(user) ? address.email : user;
}

function filled(text: string, { email, localPart, domain }: Address): string {
  return text
    .replaceAll('%EMAILADDRESS%', () => email)
    .replaceAll('%EMAILLOCALPART%', () => localPart)
    .replaceAll('%EMAILDOMAIN%', () => domain);
}
