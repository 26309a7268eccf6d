/** `account test`: connects, logs in, and shows what the server offers, or says plainly what is wrong. */
import type { Command } from 'commander';
import { createLink } from '../imap/session.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { formatTable } from './table.ts';

const commandTimeoutMs = 30_000;

export function register(account: Command, context: CliContext): void {
  account
    .command('test <acntid>')
    .description('connect, log in, list capabilities and folders')
    .option('--json', 'print JSON')
    .action((acntid: string, options: { json?: boolean }) =>
      test(context, numberArgument('ACNTID')(acntid), options.json === true),
    );
}

async function test(context: CliContext, acntid: number, isJson: boolean): Promise<void> {
  const { createCredentials } = await import('../login/credentials.ts');
  const { imap, credentials } = await context.withStore(async (store) => ({
    imap: (await accountOf(store, acntid)).imap,
    credentials: await createCredentials(store)(acntid, 'imap'),
  }));
  const { probeServer } = await import('../imap/probe.ts');
  const result = await probeServer({
    ...imap,
    credentials,
    link: createLink(),
    wireNames: new Map(),
    literalBytesMax: 1024 * 1024,
    commandTimeoutMs,
    transferTimeoutMsPerMib: commandTimeoutMs,
    signal: new AbortController().signal,
    onWarning: (text) => void context.stderr.write(`${text}\n`),
  });
  if (isJson)
    return context.print(
      JSON.stringify(result, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2),
    );
  context.print(
    `${imap.host}:${imap.port}: logged in as ${imap.user}, round trip ${Math.round(result.roundTripMs)} ms`,
  );
  context.print(`capabilities: ${result.capabilities.join(' ')}\n`);
  context.print(
    formatTable(result.folders.map(({ path, role, status }) => ({ path, role, messages: status?.messages ?? null }))),
  );
}
