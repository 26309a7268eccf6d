/** `config show` and `config check`; `config import-php` is in config-import-php.ts. */
import type { Command } from 'commander';
import { storeFile } from '../config/store-location.ts';
import { register as importPhp } from './config-import-php.ts';
import type { CliContext } from './context.ts';
import { checkRunAs } from './run-as.ts';
import { formatTable } from './table.ts';

export function register(program: Command, context: CliContext): void {
  const config = program.command('config').description('configuration: show, check, import-php');
  config
    .command('show')
    .description('every constant with its value')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => show(context, options.json === true));
  config
    .command('check')
    .description('all mistakes at once; exit 78 when there are any')
    .action(() => check(context));
  importPhp(config, context);
}

async function show(context: CliContext, isJson: boolean): Promise<void> {
  const { config, file, given } = await context.loadConfig();
  const { maskSecrets } = await import('../config/problems.ts');
  const masked = Object.entries(config).map(
    ([name, value]) => [name, typeof value === 'string' ? maskSecrets(value) : value] as const,
  );
  if (isJson) return context.print(JSON.stringify({ file, ...Object.fromEntries(masked) }, null, 2));
  context.say(`file: ${file ?? 'none'}\n`);
  context.print(
    formatTable(
      masked.map(([constant, value]) => ({
        constant,
        value: typeof value === 'object' ? JSON.stringify(value) : value,
        from: given.has(constant) ? 'file' : 'default',
      })),
    ),
  );
}

async function check(context: CliContext): Promise<void> {
  const { config, file } = await context.loadConfig();
  storeFile(config); // a store that a later version will know
  checkRunAs(config);
  context.say(`${file ?? 'defaults'}: ok`);
}
