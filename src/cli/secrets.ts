/** `secrets rotate`: a new key, every secret sealed with it, the old key forgotten. May be cut off and repeated at any point. */
import type { Command } from 'commander';
import type { CliContext } from './context.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('secrets')
    .description('the key that passwords and tokens are encrypted with')
    .command('rotate')
    .description('make a new key and encrypt everything with it; also while an engine is at work')
    .option('--json', 'print {"count":N,"unreadable":[ACNTID,…]}')
    .action((options: { json?: boolean }) => rotate(context, options.json === true));
}

async function rotate(context: CliContext, isJson: boolean): Promise<void> {
  const { config } = await context.loadConfig();
  const { change, isDropped } = await context.withStore(async (store) => ({
    change: await store.changeKey(),
    isDropped: await store.dropOldKey(),
  }));
  const { count, unreadable, isNew } = change;
  if (isJson) return context.print(JSON.stringify({ count, unreadable }));
  if (!isNew) context.say('an earlier change of keys was brought to its end');
  context.say(`${count} secrets are encrypted with the new key in ${config.BACKPROC_SECRET_KEY_FILE}`);
  if (!isDropped) context.say(`the old key is kept in ${config.BACKPROC_SECRET_KEY_FILE}.old: repeat this`);
  if (unreadable.length > 0)
    context.stderr.write(`no key here opens secrets of the accounts ${unreadable.join(', ')}; set them again\n`);
}
