/** `account add`: a single transaction; it does not connect. */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { addPasswordOptions, askPassword, givenPassword, type PasswordOptions } from './password.ts';
import { parseServerUrl } from './server-url.ts';

interface Options extends PasswordOptions {
  readonly email: string;
  readonly imap: string;
  readonly smtp?: string;
  readonly userId?: string;
  readonly name?: string;
  readonly id?: number;
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
    .option('--allow-plaintext', 'send the password without TLS to imap:// and smtp:// hosts')
    .option('--json', 'print {"acntid":N}');
  addPasswordOptions(command).action((options: Options) => add(context, options));
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
  const password = (await givenPassword(context, options)) ?? (await askPassword(context));
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
    }),
  );
  context.print(options.json ? JSON.stringify({ acntid }) : `${acntid}`);
}
