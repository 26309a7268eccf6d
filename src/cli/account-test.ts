/** `account test`: connects, logs in, and shows what the servers offer, or says plainly what is wrong. No mail is sent. */
import type { Command } from 'commander';
import { type Credentials, logInWith } from '../base/credentials.ts';
import { toErrorRecord } from '../base/errors.ts';
import type { Probe } from '../imap/probe.ts';
import type { SmtpProbe } from '../smtp/probe.ts';
import type { Account, ServerAddress, Store } from '../store/store.ts';
import { accountOf } from './account-list.ts';
import { cliCredentials } from './cli-credentials.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { probe, probeSmtp } from './probe.ts';
import { formatBytes } from './progress-display.ts';
import { formatTable } from './table.ts';

export function register(account: Command, context: CliContext): void {
  account
    .command('test <acntid>')
    .description('connect and log in, by IMAP and by SMTP; list capabilities and folders. Sends no mail')
    .option('--json', 'print JSON')
    .action((acntid: string, options: { json?: boolean }) =>
      test(context, numberArgument('ACNTID')(acntid), options.json === true),
    );
}

interface LoggedIn<Found> {
  /** As whom. */
  readonly user: string;
  readonly found: Found;
}

/** What IMAP gave is shown also where SMTP fails then. */
async function test(context: CliContext, acntid: number, isJson: boolean): Promise<void> {
  await context.withStore(async (store) => {
    const account = await accountOf(store, acntid);
    const imap = await logIn(context, store, account, 'imap', (credentials) =>
      probe(context, account.imap, credentials),
    );
    if (!isJson) tellImap(context, account.imap, imap);
    const smtp = account.smtp && { ...account.smtp, allowPlaintext: account.allowPlaintext };
    const sending =
      smtp && logIn(context, store, account, 'smtp', (credentials) => probeSmtp(context, smtp, credentials));
    if (isJson) await printJson(context, imap, sending);
    else if (smtp && sending) tellSmtp(context, smtp, await sending);
    else context.print('\nNo SMTP server: this account does not send.');
    await sending;
  });
}

async function logIn<Found>(
  context: CliContext,
  store: Store,
  { acntid }: Account,
  protocol: 'imap' | 'smtp',
  look: (credentials: Credentials) => Promise<Found>,
): Promise<LoggedIn<Found>> {
  return logInWith(await cliCredentials(context, store), { acntid, protocol }, async (credentials) => ({
    user: credentials.user,
    found: await look(credentials),
  }));
}

function tellImap(
  context: CliContext,
  { host, port, user: whose }: ServerAddress,
  { user, found }: LoggedIn<Probe>,
): void {
  const forWhom = user === whose ? '' : `, for the mailbox of ${whose}`;
  context.print(
    `${host}:${port}: logged in as ${user} by ${found.mechanism}${forWhom}, round trip ${Math.round(found.roundTripMs)} ms`,
  );
  context.print(`capabilities: ${found.capabilities.join(' ')}\n`);
  context.print(
    formatTable(found.folders.map(({ path, role, status }) => ({ path, role, messages: status?.messages ?? null }))),
  );
}

function tellSmtp(context: CliContext, { host, port }: ServerAddress, { user, found }: LoggedIn<SmtpProbe>): void {
  const size = found.sizeBytesMax === null ? '' : `, takes mails of up to ${formatBytes(found.sizeBytesMax)}`;
  const how = found.isLoggedIn
    ? `logged in as ${user} to send`
    : 'connected, but not logged in: the server offers no login here';
  context.print(`\n${host}:${port}: ${how}${size}`);
  context.print(`capabilities: ${found.capabilities.join(' ')}`);
}

/** What IMAP gave, and beside it `smtp`: null without a server, `error` where it failed. */
async function printJson(
  context: CliContext,
  imap: LoggedIn<Probe>,
  sending: Promise<LoggedIn<SmtpProbe>> | null,
): Promise<void> {
  const smtp =
    sending &&
    (await sending.then(
      ({ found }) => found,
      (error: unknown) => ({ error: toErrorRecord(error) }),
    ));
  const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
  context.print(JSON.stringify({ ...imap.found, smtp }, text, 2));
}
