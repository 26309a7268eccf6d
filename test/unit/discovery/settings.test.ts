import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAutoconfig } from '../../../src/discovery/autoconfig-xml.ts';
import { isForbidden, redirected } from '../../../src/discovery/https-get.ts';
import { providerOfDomain, providerOfExchanges } from '../../../src/discovery/providers.ts';
import { type Found, type FoundServer, isHostName, parseAddress, rankFound } from '../../../src/discovery/settings.ts';
import { type SrvRecord, srvSettings } from '../../../src/discovery/srv.ts';

const anna = { email: 'anna@firma.example', localPart: 'anna', domain: 'firma.example' };
const record = (name: string, port: number, priority = 0, weight = 0): SrvRecord => ({ name, port, priority, weight });
const none = { imaps: [], imap: [], submissions: [], submission: [] };

const isSafe = (server: FoundServer | null): boolean =>
  server === null ||
  (['tls', 'starttls'].includes(server.security) &&
    isHostName(server.host, false) &&
    server.port >= 1 &&
    server.port <= 65_535 &&
    server.users.length > 0);

describe('an address', () => {
  it('is looked up by its domain, in ASCII', () => {
    expect(parseAddress('anna@Firma.example')).toEqual({ ...anna, email: 'anna@Firma.example' });
    expect(parseAddress('anna@müller.example')?.domain).toBe('xn--mller-kva.example');
    expect(parseAddress('"a@b"@firma.example')?.localPart).toBe('"a@b"');
  });
  it.each([
    'anna',
    '@firma.example',
    'anna@localhost',
    'anna@127.0.0.1',
    'anna@[10.0.0.1]',
    'anna@a..b',
    'a@x/../y.de',
    'a@b.example:80',
  ])('%s is not looked up', (email) => expect(parseAddress(email)).toBeNull());
});

describe('SRV records', () => {
  it('give implicit TLS before STARTTLS, the lowest priority, then the highest weight', () => {
    const found = srvSettings(
      {
        imaps: [
          record('b.firma.example', 993, 10),
          record('A.firma.example.', 994, 0, 5),
          record('c.firma.example', 993),
        ],
        imap: [record('d.firma.example', 143)],
        submissions: [],
        submission: [record('smtp.firma.example', 587)],
      },
      anna,
    );
    expect(found).toMatchObject({
      imap: { host: 'a.firma.example', port: 994, security: 'tls', users: ['anna@firma.example', 'anna'] },
      smtp: { host: 'smtp.firma.example', port: 587, security: 'starttls' },
      isVouchedFor: true,
    });
  });
  it('that lead out of the domain are vouched for by nobody', () => {
    const out = { ...none, imaps: [record('mail.hoster.example', 993)] };
    expect(srvSettings(out, anna)?.isVouchedFor).toBe(false);
    const smtpOut = {
      ...none,
      imaps: [record('mail.firma.example', 993)],
      submission: [record('x.notfirma.example', 587)],
    };
    expect(srvSettings(smtpOut, anna)?.isVouchedFor).toBe(false);
    expect(srvSettings({ ...none, imaps: [record('evilfirma.example', 993)] }, anna)?.isVouchedFor).toBe(false);
  });
  it('of no service, of this machine or of nonsense give nothing', () => {
    for (const one of [
      record('', 0),
      record('.', 993),
      record('localhost', 993),
      record('127.0.0.1', 993),
      record('a.b', 0),
    ])
      expect(srvSettings({ ...none, imaps: [one] }, anna)).toBeNull();
  });
  it('never give a server without TLS or a name, whatever they say', () => {
    const anyRecord = fc.record({
      name: fc.oneof(fc.domain(), fc.ipV4(), fc.string()),
      port: fc.integer({ min: -1, max: 70_000 }),
      priority: fc.nat(9),
      weight: fc.nat(9),
    });
    const records = fc.array(anyRecord, { maxLength: 3 });
    fc.assert(
      fc.property(
        fc.record({ imaps: records, imap: records, submissions: records, submission: records }),
        (answers) => {
          const found = srvSettings(answers, anna);
          expect([isSafe(found?.imap ?? null), isSafe(found?.smtp ?? null)]).toEqual([true, true]);
        },
      ),
    );
  });
});

const server = (
  kind: 'incoming' | 'outgoing',
  fields: Record<string, string>,
  type = kind === 'incoming' ? 'imap' : 'smtp',
) =>
  `<${kind}Server type="${type}">${Object.entries(fields)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')}</${kind}Server>`;
const config = (...servers: string[]): string =>
  `<?xml version="1.0"?>\n<clientConfig version="1.1"><emailProvider id="x"><domain>firma.example</domain>${servers.join('\n')}</emailProvider></clientConfig>`;
const good = { hostname: 'imap.%EMAILDOMAIN%', port: '993', socketType: 'SSL', username: '%EMAILLOCALPART%' };

describe('an autoconfig file', () => {
  it('names the first server of each kind that offers TLS', () => {
    const xml = config(
      server('incoming', { ...good, port: '995' }, 'pop3'),
      server('incoming', { ...good, socketType: 'plain', port: '143' }),
      server('incoming', good),
      server('incoming', { ...good, hostname: 'second.firma.example' }),
      server('outgoing', {
        hostname: 'smtp.firma.example',
        port: ' 587 ',
        socketType: 'STARTTLS',
        username: '%EMAILADDRESS%',
      }),
    );
    expect(parseAutoconfig(xml, anna)).toEqual({
      imap: { host: 'imap.firma.example', port: 993, security: 'tls', users: ['anna'] },
      smtp: { host: 'smtp.firma.example', port: 587, security: 'starttls', users: ['anna@firma.example'] },
    });
  });
  it.each([
    ['no login', { ...good, username: '' }, 'anna@firma.example'],
    ['a login that only a dialogue could fill in', { ...good, username: '%REALNAME%' }, 'anna@firma.example'],
    ['a login with entities', { ...good, username: 'a&amp;b' }, 'a&b'],
    ['a login in CDATA', { ...good, username: '<![CDATA[a<b]]>' }, 'a<b'],
  ])('with %s is understood', (_title, fields, user) => {
    expect(parseAutoconfig(config(server('incoming', fields)), anna).imap?.users).toEqual([user]);
  });
  it.each([
    ['plaintext', { ...good, socketType: 'plain' }],
    ['this machine', { ...good, hostname: 'localhost' }],
    ['an address', { ...good, hostname: '10.0.0.1' }],
    ['a port that is none', { ...good, port: '99999' }],
    ['a host with a path', { ...good, hostname: 'a.example/x' }],
  ])('that offers only %s offers nothing', (_title, fields) => {
    expect(parseAutoconfig(config(server('incoming', fields)), anna)).toEqual({ imap: null, smtp: null });
  });
  it.each([
    ['no XML', 'hello'],
    ['HTML', '<html><br></html>'],
    ['cut short', config(server('incoming', good)).slice(0, -5)],
    ['a bomb', '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><x>&b;</x>'],
    ['nested without end', '<a>'.repeat(1000)],
  ])('that is %s is refused', (_title, xml) => {
    expect(() => parseAutoconfig(xml, anna)).toThrow(SyntaxError);
  });
  it('never gives a server without TLS or a name, whatever it says', () => {
    const text = fc.oneof(
      fc.string(),
      fc.domain(),
      fc.constantFrom('SSL', 'plain', 'STARTTLS', '%EMAILDOMAIN%', '993'),
    );
    const fields = fc.record({ hostname: text, port: text, socketType: text, username: text });
    const escaped = (value: string): string =>
      value.replace(/[^\w.%-]/g, (c) => `&#${Math.max(32, c.codePointAt(0) ?? 32)};`);
    fc.assert(
      fc.property(fc.array(fields), (all) => {
        const xml = config(
          ...all.map((one) =>
            server('incoming', Object.fromEntries(Object.entries(one).map(([k, v]) => [k, escaped(v)]))),
          ),
        );
        expect(isSafe(parseAutoconfig(xml, anna).imap)).toBe(true);
      }),
    );
  });
});

describe('a provider', () => {
  it('is known by the domain of the address', () => {
    expect(providerOfDomain({ ...anna, domain: 'gmail.com' })).toMatchObject({
      imap: { host: 'imap.gmail.com', users: [anna.email] },
      oauth: { preset: 'google' },
      isVouchedFor: true,
    });
    expect(providerOfDomain({ ...anna, domain: 'icloud.com' })?.imap.users).toEqual(['anna', anna.email]);
    expect(providerOfDomain(anna)).toBeNull();
  });
  it('is guessed by where mail is delivered, and vouched for by nobody then', () => {
    expect(providerOfExchanges(['other.example', 'firma-example.mail.protection.outlook.com.'], anna)).toMatchObject({
      imap: { host: 'outlook.office365.com' },
      isVouchedFor: false,
    });
    expect(providerOfExchanges(['evilgoogle.com', 'google.com.evil.example'], anna)).toBeNull();
  });
});

describe('what was found', () => {
  it('is ranked by who says so, and shown once', () => {
    const at = (source: Found['source'], host: string): Found => ({
      source,
      where: '',
      isVouchedFor: true,
      imap: { host, port: 993, security: 'tls', users: [] },
      smtp: null,
      oauth: null,
    });
    const ranked = rankFound([at('mx', 'a'), at('srv', 'b'), at('autoconfig', 'a'), at('srv', 'c')]);
    expect(ranked.map(({ source, imap }) => `${source} ${imap.host}`)).toEqual(['autoconfig a', 'srv b', 'srv c']);
  });
});

describe('a redirect', () => {
  const from = new URL('https://autoconfig.firma.example/mail/config-v1.1.xml');
  it('leads on over HTTPS', () => {
    expect(redirected('/other', from).href).toBe('https://autoconfig.firma.example/other');
    expect(redirected('https://hoster.example/x', from).href).toBe('https://hoster.example/x');
  });
  it.each([
    'http://hoster.example/',
    'https://127.0.0.1/',
    'https://localhost/',
    'https://[::1]/',
    'https://a.example:8443/',
    'https://u:p@a.example/',
    'file:///etc/passwd',
    'https://2130706433/',
  ])('to %s is not followed', (location) => expect(() => redirected(location, from)).toThrow(/not followed/));
});

describe('an address in the network', () => {
  it.each([
    '127.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '::1',
    '::',
    'fe80::1',
    '::ffff:127.0.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ])('%s is not dialled', (address) => expect(isForbidden(address)).toBe(true));
  it.each(['192.0.2.1', '10.0.0.1', '2001:db8::1'])('%s is', (address) => expect(isForbidden(address)).toBe(false));
});
