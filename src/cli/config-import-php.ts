/** `config import-php FILE`: a config.ts on stdout, made of the constants of an eDokumenty config.inc. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { Converted } from '../config/php/to-config.ts';
import type { CliContext } from './context.ts';
import { exitCodes } from './exit-code.ts';

export function register(config: Command, context: CliContext): void {
  config
    .command('import-php <file>')
    .description("print a config.ts made of the define('NAME', value) of a PHP file; nothing of it is run")
    .option('--json', 'print a config.json instead')
    .action((file: string, options: { json?: boolean }) => importPhp(context, file, options.json === true));
}

async function importPhp(context: CliContext, file: string, isJson: boolean): Promise<void> {
  const path = resolve(context.cwd, file);
  const source = textOf(path);
  const { readDefines } = await import('../config/php/defines.ts');
  const { convert, toConfigText } = await import('../config/php/to-config.ts');
  const read = readDefines(source, path);
  if (read.defines.length === 0)
    throw new EngineError('config_invalid', `${path}: it defines no constants; does it begin with <?php ?`);
  const converted = convert(read);
  context.print(isJson ? toJson(converted) : toConfigText(converted, path));
  for (const text of [...converted.remarks, ...converted.mistakes]) context.stderr.write(`${file}: ${text}\n`);
  if (converted.mistakes.length > 0) context.setExitCode(exitCodes.configuration);
}

/** Old installations are written in the encodings of their time; names and numbers are ASCII in all of them. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new EngineError(
      'usage',
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

const toJson = ({ values }: Converted): string =>
  JSON.stringify(Object.fromEntries(values.map(({ name, value }) => [name, value])), null, 2);
