/** `account add`: a single transaction; it does not connect. */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { LoginChanges } from '../store/logins.ts';
import type { CliContext } from './context.ts';
import { addLoginOptions, givenLogin, type LoginOptions } from './login-options.ts';
import { numberArgument } from './number-argument.ts';
import { askPassword } from './password.ts';
import { readerIds } from './reader-ids.ts';
import { addSecretOptions, givenSecret } from './secret-options.ts';
import { parseServerUrl } from './server-url.ts';

interface Options extends LoginOptions {
  readonly email: string;
  readonly imap: string;
  readonly smtp?: string;
  readonly userId?: string;
  readonly name?: string;
  readonly id?: number;
  readonly readers?: string;
  readonly allowPlaintext?: boolean;
  readonly json?: boolean;
}

export function register(account: Command, context: CliContext): void {
  const command = account
    .command('add')
    .description('add an account; prints its number (acntid)')
    .requiredOption('--email <address>', 'the address, and the login where the URL names none')
    .requiredOption('--imap <url>', 'imaps://USER@HOST:PORT, or imap://… for STARTTLS')
    .option('--smtp <url>', 'smtps://USER@HOST:PORT, or smtp://… for STARTTLS')
    .option('--user-id <id>', 'who owns it in your application')
    .option('--name <name>', 'display name')
    .option('--id <acntid>', 'keep a number that your application already uses', numberArgument('--id'))
    .option('--readers <user-ids>', 'further users who read it, separated by commas')
    .option('--allow-plaintext', 'send the password without TLS to imap:// and smtp:// hosts')
    .option('--json', 'print {"acntid":N}');
  addSecretOptions(command, 'password', 'the password');
  addLoginOptions(command).action((options: Options) => add(context, options));
}

async function add(context: CliContext, options: Options): Promise<void> {
  if (!/^[^\s\p{Cc}]+$/u.test(options.email))
    throw new EngineError('usage', `--email: ${JSON.stringify(options.email)} is no address.`);
  const allowPlaintext = options.allowPlaintext === true;
  const imap = parseServerUrl(options.imap, { kind: 'imap', email: options.email, allowPlaintext });
  const smtp =
    options.smtp === undefined
      ? null
      : parseServerUrl(options.smtp, { kind: 'smtp', email: options.email, allowPlaintext });
  const login = await givenLogin(context, options, null);
  const password = await passwordFor(context, options, login);
  const acntid = await context.withStore((store) =>
    store.addAccount({
      ...(options.id === undefined ? {} : { acntid: options.id }),
      email: options.email,
      userId: options.userId ?? null,
      name: options.name ?? null,
      imap,
      smtp,
      allowPlaintext,
      password,
      ...(Object.keys(login).length > 0 && { login }),
      ...(options.readers !== undefined && { readers: readerIds(options.readers) }),
    }),
  );
  context.print(options.json ? JSON.stringify({ acntid }) : `${acntid}`);
}

/** Null: it logs in by other means. */
async function passwordFor(context: CliContext, options: Options, login: LoginChanges): Promise<string | null> {
  const given = await givenSecret(context, { ...options }, 'password');
  if (given !== null || login.oauth || login.passwordCommand) return given;
  const { config } = await context.loadConfig();
  return config.EMAIL_PASSWORD_COMMAND === null ? askPassword(context) : null;
}
