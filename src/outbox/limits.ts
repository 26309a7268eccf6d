/**
 * How much an account may send, and how. Pure. The account's own limits come before the operator's for its provider, those before
 * the built-in table, and that before the constants; where both a constant and a provider have a number, the lower one counts.
 * The built-in numbers are what the providers published when this was written (docs/outbox.md); a wrong one is corrected in
 * EMAIL_OUTBOX_PROVIDERS.
 */

export interface SendLimits {
  readonly connections: number;
  /** Null: no limit. */
  readonly messagesPerMinute: number | null;
  readonly recipientsPerDay: number | null;
  /** Of one SMTP transaction. */
  readonly recipientsPerMessage: number;
  readonly messagesPerConnection: number;
}

/** What of the configuration this needs. */
export interface LimitSettings {
  readonly connections: number;
  readonly messagesPerMinute: number | null;
  readonly recipientsPerDay: number | null;
  readonly recipientsPerMessage: number;
  readonly providers: Readonly<Record<string, ProviderLimits>>;
}

export type ProviderLimits = { readonly [Name in keyof SendLimits]?: SendLimits[Name] | undefined };

/** So many mails over one connection; some servers close it after a hundred. */
const messagesPerConnection = 100;

export const builtInProviders: Readonly<Record<string, ProviderLimits>> = {
  'gmail.com': { connections: 3, recipientsPerDay: 500, recipientsPerMessage: 100 },
  'googlemail.com': { connections: 3, recipientsPerDay: 500, recipientsPerMessage: 100 },
  'smtp-relay.gmail.com': { connections: 5, recipientsPerDay: 10_000, recipientsPerMessage: 100 },
  'office365.com': { connections: 2, messagesPerMinute: 28, recipientsPerDay: 10_000, recipientsPerMessage: 500 },
  'outlook.com': { connections: 2, messagesPerMinute: 28, recipientsPerDay: 5000, recipientsPerMessage: 500 },
  'yahoo.com': { connections: 2, recipientsPerDay: 500, recipientsPerMessage: 100 },
  'aol.com': { connections: 2, recipientsPerDay: 500, recipientsPerMessage: 100 },
  'me.com': { connections: 2, recipientsPerDay: 1000, recipientsPerMessage: 500 },
  'icloud.com': { connections: 2, recipientsPerDay: 1000, recipientsPerMessage: 500 },
  'zoho.com': { connections: 2, recipientsPerDay: 500, recipientsPerMessage: 50 },
  'gmx.net': { connections: 2, recipientsPerMessage: 100 },
  'web.de': { connections: 2, recipientsPerMessage: 100 },
  'amazonaws.com': { connections: 5, recipientsPerMessage: 50 },
};

export function limitsFor(host: string, settings: LimitSettings, ofAccount: string | null): SendLimits {
  const builtIn = byHost(host, builtInProviders);
  const given = { ...byHost(host, settings.providers), ...readAccountLimits(ofAccount) };
  const pick = (name: 'connections' | 'recipientsPerMessage'): number =>
    given[name] ?? Math.min(settings[name], builtIn[name] ?? settings[name]);
  const pickOrNull = (name: 'messagesPerMinute' | 'recipientsPerDay'): number | null =>
    given[name] === undefined ? lower(settings[name], builtIn[name] ?? null) : given[name];
  return {
    connections: pick('connections'),
    messagesPerMinute: pickOrNull('messagesPerMinute'),
    recipientsPerDay: pickOrNull('recipientsPerDay'),
    recipientsPerMessage: pick('recipientsPerMessage'),
    messagesPerConnection: given.messagesPerConnection ?? messagesPerConnection,
  };
}

const lower = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.min(a, b));

/** The longest name that the host ends with. */
function byHost(host: string, providers: Readonly<Record<string, ProviderLimits>>): ProviderLimits {
  const name = host.toLowerCase().replace(/\.$/, '');
  const matches = Object.keys(providers).filter((end) => name === end || name.endsWith(`.${end}`));
  const [best] = matches.toSorted((a, b) => b.length - a.length);
  return best === undefined ? {} : (providers[best] ?? {});
}

/** email_accounts.outbox_limits is an application's text: what is no sensible number in it is as if it were not there. */
export function readAccountLimits(text: string | null): ProviderLimits {
  if (text === null) return {};
  const given = parseObject(text);
  const entries = limitNames.flatMap((name): [string, unknown][] =>
    isLimit(name, given?.[name]) ? [[name, given?.[name]]] : [],
  );
  return Object.fromEntries(entries);
}

/** What of that text does not count, for the log: an account whose limits were mistyped sends without them. */
export function accountLimitMistakes(text: string | null): string[] {
  if (text === null) return [];
  const given = parseObject(text);
  if (given === null) return ['it is no JSON object'];
  return Object.entries(given).flatMap(([name, value]) => {
    if (!isLimitName(name)) return [`${JSON.stringify(name)} is none of ${limitNames.join(', ')}`];
    return isLimit(name, value) ? [] : [`${name} is ${JSON.stringify(value)}; expected a whole number from 1 on`];
  });
}

const isLimitName = (name: string): name is (typeof limitNames)[number] => limitNames.some((known) => known === name);

function isLimit(name: string, value: unknown): boolean {
  if (value === null) return name === 'messagesPerMinute' || name === 'recipientsPerDay';
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

const limitNames = [
  'connections',
  'messagesPerMinute',
  'recipientsPerDay',
  'recipientsPerMessage',
  'messagesPerConnection',
] as const;

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null; // not JSON: no limits of its own
  }
}
