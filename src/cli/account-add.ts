/**
 * `account add`: a single transaction. With --imap it does not connect; without, the servers are looked for, and the login is tried
 * before anything is stored (for what only the store can hand out, tokens and commands: right after).
 */
import type { Command } from 'commander';
import { logInWith } from '../base/credentials.ts';
import { toErrorRecord } from '../base/errors.ts';
import type { Found, FoundServer } from '../discovery/settings.ts';
import type { LoginChanges } from '../store/logins.ts';
import type { NewAccount, ServerAddress } from '../store/store.ts';
import { cliCredentials } from './cli-credentials.ts';
import type { CliContext } from './context.ts';
import { checkEmail } from './email-argument.ts';
import { exitCodeOf } from './exit-code.ts';
import { findSettings } from './find-settings.ts';
import { addLoginOptions, givenLogin, type LoginOptions } from './login-options.ts';
import { numberArgument } from './number-argument.ts';
import { askPassword } from './password.ts';
import { probe } from './probe.ts';
import { readerIds } from './reader-ids.ts';
import { addSecretOptions, givenSecret } from './secret-options.ts';
import { parseServerUrl } from './server-url.ts';

interface Options extends LoginOptions {
  readonly email: string;
  readonly imap?: string;
  readonly smtp?: string;
  readonly userId?: string;
  readonly name?: string;
  readonly id?: number;
  readonly readers?: string;
  readonly allowPlaintext?: boolean;
  readonly yes?: boolean;
  /** False: --no-test. */
  readonly test?: boolean;
  readonly json?: boolean;
}

export function register(account: Command, context: CliContext): void {
  const command = account
    .command('add')
    .description('add an account; prints its number (acntid). Without --imap its servers are looked for, and tried')
    .requiredOption('--email <address>', 'the address, and the login where the URL names none')
    .option('--imap <url>', 'imaps://USER@HOST:PORT, or imap://… for STARTTLS')
    .option('--smtp <url>', 'smtps://USER@HOST:PORT, or smtp://… for STARTTLS')
    .option('--user-id <id>', 'who owns it in your application')
    .option('--name <name>', 'display name')
    .option('--id <acntid>', 'keep a number that your application already uses', numberArgument('--id'))
    .option('--readers <user-ids>', 'further users who read it, separated by commas')
    .option('--allow-plaintext', 'send the password without TLS to imap:// and smtp:// hosts')
    .option('--yes', 'use the servers that are found, also when the DNS alone vouches for them')
    .option('--no-test', 'do not try the servers that are found')
    .option('--json', 'print {"acntid":N}, and what was found');
  addSecretOptions(command, 'password', 'the password');
  addLoginOptions(command).action((options: Options) => add(context, options));
}

async function add(context: CliContext, options: Options): Promise<void> {
  checkEmail(options.email);
  const login = await givenLogin(context, options, null);
  const found = options.imap === undefined ? await find(context, options, login) : null;
  const servers = found ? serversOf(found, options) : givenServers(options);
  const password = await passwordFor(context, options, login);
  const isTested = found !== null && options.test !== false;
  const tried = isTested && password !== null ? await tryLogins(context, found, servers, login, password) : servers;
  const acntid = await context.withStore((store) => store.addAccount(newAccount(options, tried, login, password)));
  context.print(options.json ? JSON.stringify({ acntid, ...(found && { found }) }) : `${acntid}`);
  if (isTested && password === null) await tryStored(context, acntid, tried.imap);
}

const find = (context: CliContext, { email, yes }: Options, login: LoginChanges): Promise<Found> =>
  findSettings(context, { email, yes: yes === true, hasOauth: Boolean(login.oauth) });

interface Servers {
  readonly imap: ServerAddress;
  readonly smtp: ServerAddress | null;
}

function givenServers(options: Options): Servers {
  return { imap: parseServerUrl(options.imap ?? '', urlOptions(options, 'imap')), smtp: givenSmtp(options) };
}

const givenSmtp = (options: Options): ServerAddress | null =>
  options.smtp === undefined ? null : parseServerUrl(options.smtp, urlOptions(options, 'smtp'));

const urlOptions = ({ email, allowPlaintext }: Options, kind: 'imap' | 'smtp') => ({
  kind,
  email,
  allowPlaintext: allowPlaintext === true,
});

function serversOf({ imap, smtp }: Found, options: Options): Servers {
  return { imap: withUser(imap, 0), smtp: givenSmtp(options) ?? (smtp && withUser(smtp, 0)) };
}

const withUser = ({ host, port, security, users }: FoundServer, index: number): ServerAddress => ({
  host,
  port,
  security,
  user: users[index] ?? users[0] ?? '',
});

/** The servers with the first of the likely logins that is taken. Throws what the last one failed with. */
async function tryLogins(
  context: CliContext,
  found: Found,
  servers: Servers,
  { loginUser }: LoginChanges,
  password: string,
): Promise<Servers> {
  for (const [index, user] of found.imap.users.entries()) {
    const imap = withUser(found.imap, index);
    const smtp = servers.smtp && found.smtp?.host === servers.smtp.host ? withUser(found.smtp, index) : servers.smtp;
    const whose = typeof loginUser === 'string' ? { user: loginUser, authzid: user } : { user };
    try {
      const { mechanism } = await probe(context, imap, { kind: 'password', ...whose, password });
      context.say(`${imap.host}:${imap.port}: logged in as ${whose.user} by ${mechanism}`);
      return { imap, smtp };
    } catch (error) {
      if (toErrorRecord(error).code !== 'auth_failed' || index === found.imap.users.length - 1) throw error;
    }
  }
  return servers;
}

/** A token that was fetched for this may have replaced another: the account stays, whatever comes of it. */
async function tryStored(context: CliContext, acntid: number, imap: ServerAddress): Promise<void> {
  try {
    await context.withStore(async (store) =>
      logInWith(await cliCredentials(context, store), { acntid, protocol: 'imap' }, (credentials) =>
        probe(context, imap, credentials),
      ),
    );
  } catch (error) {
    const { code, detail } = toErrorRecord(error);
    context.stderr.write(`backproc: account ${acntid} was added, but its login failed: ${code}: ${detail}\n`);
    context.setExitCode(exitCodeOf(code));
  }
}

/** Null: it logs in by other means. */
async function passwordFor(context: CliContext, options: Options, login: LoginChanges): Promise<string | null> {
  const given = await givenSecret(context, { ...options }, 'password');
  if (given !== null || login.oauth || login.passwordCommand) return given;
  const { config } = await context.loadConfig();
  return config.EMAIL_PASSWORD_COMMAND === null ? askPassword(context) : null;
}

function newAccount(options: Options, servers: Servers, login: LoginChanges, password: string | null): NewAccount {
  return {
    ...(options.id !== undefined && { acntid: options.id }),
    email: options.email,
    userId: options.userId ?? null,
    name: options.name ?? null,
    ...servers,
    allowPlaintext: options.allowPlaintext === true,
    password,
    ...(Object.keys(login).length > 0 && { login }),
    ...(options.readers !== undefined && { readers: readerIds(options.readers) }),
  };
}
