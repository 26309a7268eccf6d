/** Where a secret comes from: never from the command line, which everybody on the machine can read. */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { CliContext } from './context.ts';

/** `--NAME-stdin`, `--NAME-env NAME` and `--NAME-file FILE`. `what`: for people. */
export function addSecretOptions(command: Command, name: string, what: string): Command {
  return command
    .option(`--${name}-stdin`, `read ${what} from standard input`)
    .option(`--${name}-env <name>`, `read ${what} from this environment variable`)
    .option(`--${name}-file <file>`, `read ${what} from this file`);
}

/** As commander hands them over: `--password-stdin` is `passwordStdin`. */
export type GivenOptions = Readonly<Record<string, unknown>>;

/** Null: none of the options was given. One newline at the end does not belong to it. Throws usage, also for an empty one. */
export async function givenSecret(context: CliContext, options: GivenOptions, name: string): Promise<string | null> {
  const secret = await readSecret(context, options, name);
  if (secret === '') missing(name, 'what was given is empty');
  if (secret?.includes('\0')) missing(name, 'what was given holds a NUL');
  return secret;
}

async function readSecret(context: CliContext, options: GivenOptions, name: string): Promise<string | null> {
  const { stdin, env, file } = wordsOf(options, name);
  if ([stdin, env !== undefined, file !== undefined].filter(Boolean).length > 1)
    missing(name, `give one of --${name}-stdin, --${name}-env and --${name}-file`);
  if (stdin) {
    refuseSecondStdin(options, name);
    return withoutNewline(await text(context.stdin));
  }
  if (env !== undefined) return context.env[env] ?? missing(name, `the environment has no ${env}`);
  if (file !== undefined) return withoutNewline(readSecretFile(name, file));
  return null;
}

function wordsOf(options: GivenOptions, name: string): { stdin: boolean; env?: string; file?: string } {
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const env = options[`${camel}Env`];
  const file = options[`${camel}File`];
  return {
    stdin: options[`${camel}Stdin`] === true,
    ...(typeof env === 'string' && { env }),
    ...(typeof file === 'string' && { file }),
  };
}

function refuseSecondStdin(options: GivenOptions, name: string): void {
  if (Object.keys(options).filter((option) => option.endsWith('Stdin')).length < 2) return;
  missing(name, 'only one secret can come from standard input; use --…-file or --…-env for the others');
}

function readSecretFile(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return missing(name, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const withoutNewline = (value: string): string => value.replace(/\r?\n$/, '');

function missing(name: string, why: string): never {
  throw new EngineError('usage', `No ${name.replaceAll('-', ' ')}: ${why}.`);
}
