/** `presence set` and `clear`: what an application does in SQL, by command. The engine hears of it within two seconds. */
import type { Command } from 'commander';
import { toInstant } from '../base/clock.ts';
import type { CliContext } from './context.ts';
import { instantArgument } from './instant-argument.ts';

export function register(program: Command, context: CliContext): void {
  const presence = program.command('presence').description('who is logged in: set, clear');
  presence
    .command('set <user>')
    .description('the user was seen now: his folders are synchronised more often for a while')
    .option('--at <time>', 'seen then: an ISO 8601 time with its zone, such as 2026-11-24T12:00:00Z')
    .action((user: string, options: { at?: string }) =>
      context.withStore((store) => store.setPresence(user, seenAt(options.at))),
    );
  presence
    .command('clear <user>')
    .description('the user has logged out')
    .action((user: string) => context.withStore((store) => store.clearPresence(user)));
}

const seenAt = (at: string | undefined): string =>
  at === undefined ? toInstant(new Date()) : instantArgument('--at', at);
