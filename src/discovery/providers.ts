/**
 * Large providers, by the domains of their addresses and by where the mail of other domains is delivered (MX). Pure. Only what the
 * providers themselves publish; whoever is missing is found by autoconfig or SRV.
 */
import type { Address, Found, FoundServer } from './settings.ts';

interface Provider {
  readonly name: string;
  readonly domains: readonly string[];
  /** Ends of MX host names. */
  readonly mx: readonly string[];
  readonly imap: readonly [host: string, port: number, security: FoundServer['security']];
  readonly smtp: readonly [host: string, port: number, security: FoundServer['security']];
  /** What people log in with; the address where absent. */
  readonly login?: 'local part';
  readonly oauth?: Found['oauth'];
}

const tls = (host: string): readonly [string, number, 'tls'] => [host, 993, 'tls'];
const submissions = (host: string): readonly [string, number, 'tls'] => [host, 465, 'tls'];
const submission = (host: string): readonly [string, number, 'starttls'] => [host, 587, 'starttls'];

const providers: readonly Provider[] = [
  {
    name: 'Google',
    domains: ['gmail.com', 'googlemail.com'],
    mx: ['google.com', 'googlemail.com'],
    imap: tls('imap.gmail.com'),
    smtp: submissions('smtp.gmail.com'),
    oauth: { preset: 'google', isOnly: false },
  },
  {
    name: 'Microsoft 365',
    domains: ['outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'outlook.de', 'outlook.pl', 'hotmail.de'],
    mx: ['mail.protection.outlook.com', 'mx.microsoft'],
    imap: tls('outlook.office365.com'),
    smtp: submission('smtp.office365.com'),
    oauth: { preset: 'microsoft', isOnly: true },
  },
  {
    name: 'iCloud',
    domains: ['icloud.com', 'me.com', 'mac.com'],
    mx: ['mail.icloud.com'],
    imap: tls('imap.mail.me.com'),
    smtp: submission('smtp.mail.me.com'),
    login: 'local part',
  },
  {
    name: 'Yahoo',
    domains: ['yahoo.com', 'yahoo.de', 'yahoo.pl', 'yahoo.co.uk', 'yahoo.fr', 'ymail.com', 'rocketmail.com'],
    mx: ['yahoodns.net'],
    imap: tls('imap.mail.yahoo.com'),
    smtp: submissions('smtp.mail.yahoo.com'),
  },
  { name: 'AOL', domains: ['aol.com'], mx: [], imap: tls('imap.aol.com'), smtp: submissions('smtp.aol.com') },
  {
    name: 'GMX',
    domains: ['gmx.de', 'gmx.net', 'gmx.at', 'gmx.ch'],
    mx: ['gmx.net'],
    imap: tls('imap.gmx.net'),
    smtp: submission('mail.gmx.net'),
  },
  {
    name: 'WEB.DE',
    domains: ['web.de', 'email.de'],
    mx: ['web.de'],
    imap: tls('imap.web.de'),
    smtp: submission('smtp.web.de'),
  },
  {
    name: 'IONOS',
    domains: [],
    mx: ['kundenserver.de', 'ionos.com', 'ionos.de'],
    imap: tls('imap.ionos.de'),
    smtp: submissions('smtp.ionos.de'),
  },
  {
    name: 'T-Online',
    domains: ['t-online.de', 'magenta.de'],
    mx: ['t-online.de'],
    imap: tls('secureimap.t-online.de'),
    smtp: submissions('securesmtp.t-online.de'),
  },
  {
    name: 'Strato',
    domains: [],
    mx: ['rzone.de', 'strato.de'],
    imap: tls('imap.strato.de'),
    smtp: submissions('smtp.strato.de'),
  },
  {
    name: 'mailbox.org',
    domains: ['mailbox.org'],
    mx: ['mailbox.org'],
    imap: tls('imap.mailbox.org'),
    smtp: submissions('smtp.mailbox.org'),
  },
  {
    name: 'Posteo',
    domains: ['posteo.de', 'posteo.net'],
    mx: ['posteo.de'],
    imap: tls('posteo.de'),
    smtp: submissions('posteo.de'),
  },
  {
    name: 'Fastmail',
    domains: ['fastmail.com', 'fastmail.fm'],
    mx: ['messagingengine.com'],
    imap: tls('imap.fastmail.com'),
    smtp: submissions('smtp.fastmail.com'),
  },
  {
    name: 'Zoho',
    domains: ['zoho.com', 'zohomail.com'],
    mx: ['zoho.com'],
    imap: tls('imap.zoho.com'),
    smtp: submissions('smtp.zoho.com'),
  },
  {
    name: 'Zoho Europe',
    domains: ['zoho.eu', 'zohomail.eu'],
    mx: ['zoho.eu'],
    imap: tls('imap.zoho.eu'),
    smtp: submissions('smtp.zoho.eu'),
  },
  {
    name: 'OVH',
    domains: [],
    mx: ['mail.ovh.net', 'ovh.net'],
    imap: tls('ssl0.ovh.net'),
    smtp: submissions('ssl0.ovh.net'),
  },
  {
    name: 'Onet',
    domains: ['onet.pl', 'onet.eu', 'op.pl', 'vp.pl', 'poczta.onet.pl', 'autograf.pl', 'buziaczek.pl'],
    mx: ['onet.pl'],
    imap: tls('imap.poczta.onet.pl'),
    smtp: submissions('smtp.poczta.onet.pl'),
  },
  {
    name: 'Wirtualna Polska',
    domains: ['wp.pl'],
    mx: ['wp.pl'],
    imap: tls('imap.wp.pl'),
    smtp: submissions('smtp.wp.pl'),
  },
  {
    name: 'o2',
    domains: ['o2.pl', 'tlen.pl', 'go2.pl', 'prokonto.pl'],
    mx: ['o2.pl'],
    imap: tls('poczta.o2.pl'),
    smtp: submissions('poczta.o2.pl'),
  },
  {
    name: 'Interia',
    domains: ['interia.pl', 'interia.eu', 'poczta.fm', 'intmail.pl'],
    mx: ['interia.pl'],
    imap: tls('poczta.interia.pl'),
    smtp: submissions('poczta.interia.pl'),
  },
];

export function providerOfDomain(address: Address): Found | null {
  const provider = providers.find(({ domains }) => domains.includes(address.domain));
  return provider ? toFound(provider, address, 'provider', provider.name) : null;
}

/** `exchanges`: MX host names, the preferred first. A guess: mail may be delivered there and read elsewhere. */
export function providerOfExchanges(exchanges: readonly string[], address: Address): Found | null {
  for (const exchange of exchanges) {
    const host = exchange.replace(/\.$/, '').toLowerCase();
    const provider = providers.find(({ mx }) => mx.some((end) => host === end || host.endsWith(`.${end}`)));
    if (provider)
      return toFound(provider, address, 'mx', `${provider.name}, where the domain's mail is delivered (${host})`);
  }
  return null;
}

function toFound(provider: Provider, address: Address, source: 'provider' | 'mx', where: string): Found {
  const users = provider.login === 'local part' ? [address.localPart, address.email] : [address.email];
  const server = ([host, port, security]: Provider['imap']): FoundServer => ({ host, port, security, users });
  return {
    source,
    where,
    isVouchedFor: source === 'provider',
    imap: server(provider.imap),
    smtp: server(provider.smtp),
    oauth: provider.oauth ?? null,
  };
}
