/**
 * `account add` without --imap: what is found is shown, with where it was found. What rests on the DNS alone is used only after
 * somebody has looked at it: on a terminal by a question, otherwise by --yes.
 */
import { EngineError } from '../base/errors.ts';
import type { Discovery } from '../discovery/discover.ts';
import { type Found, type FoundServer, parseAddress } from '../discovery/settings.ts';
import type { CliContext } from './context.ts';
import { isInteractive, isYes } from './password.ts';
import { formatTable } from './table.ts';

export interface FindOptions {
  readonly email: string;
  readonly yes: boolean;
  /** An OAuth grant was given. */
  readonly hasOauth: boolean;
}

export async function findSettings(context: CliContext, options: FindOptions): Promise<Found> {
  const address = parseAddress(options.email);
  if (!address) throw new EngineError('settings_not_found', `${options.email} is in no domain that can be looked up.`);
  const { discover } = await import('../discovery/discover.ts');
  const discovery = await discover(await portsOf(context), address);
  const [best] = discovery.found;
  if (!best) throw new EngineError('settings_not_found', missedText(discovery));
  if (isInteractive(context)) context.say(`${foundTable(discovery.found)}\n`);
  if (best.oauth?.isOnly && !options.hasOauth)
    throw new EngineError('usage', `${best.where}: takes no passwords; use --oauth-preset ${best.oauth.preset}.`);
  if (!options.yes) await confirm(context, best);
  return best;
}

async function confirm(context: CliContext, best: Found): Promise<void> {
  if (isInteractive(context)) {
    if (await isYes(context, 'Use the first of these?', best.isVouchedFor ? 'y' : 'n')) return;
    throw new EngineError('usage', 'Nothing was added; give --imap and --smtp.');
  }
  if (best.isVouchedFor) return;
  const what = `${serverText(best.imap)}, found by ${best.where}`;
  throw new EngineError('usage', `${what}, is vouched for by the DNS alone. Say --yes, or give --imap.`);
}

/** BACKPROC_TEST_DISCOVERY: `{"dns":"127.0.0.1:5353","port":8443}` puts a DNS and a web server of the test in the world's place. */
async function portsOf(context: CliContext) {
  const { createHttpsGet } = await import('../discovery/https-get.ts');
  const { createResolver } = await import('../discovery/resolver.ts');
  const signal = new AbortController().signal;
  const test = context.env.BACKPROC_TEST_DISCOVERY;
  if (test === undefined) return { resolver: createResolver(), get: createHttpsGet(), signal, allowsLoopback: false };
  const { dns, port } = JSON.parse(test) as { dns: string; port: number };
  const { lookup } = await import('node:dns');
  const get = createHttpsGet({ port, lookup: (_host, options, callback) => lookup('127.0.0.1', options, callback) });
  return { resolver: createResolver([dns]), get, signal, allowsLoopback: true };
}

const missedText = ({ missed }: Discovery): string =>
  `Give --imap, and --smtp for sending. Looked at ${missed.map(({ where, why }) => `${where}: ${why}`).join('; ')}.`;

const foundTable = (found: readonly Found[]): string =>
  formatTable(
    found.map(({ imap, smtp, where, isVouchedFor }) => ({
      imap: serverText(imap),
      smtp: smtp ? serverText(smtp) : null,
      login: imap.users[0],
      found: isVouchedFor ? where : `${where} (not vouched for: look at it)`,
    })),
  );

const serverText = ({ host, port, security }: FoundServer): string => `${host}:${port} (${security})`;
