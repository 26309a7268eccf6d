/** Where a password comes from: never from the command line, which everybody on the machine can read. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { CliContext } from './context.ts';

export interface PasswordOptions {
  readonly passwordStdin?: boolean;
  readonly passwordEnv?: string;
  readonly passwordFile?: string;
}

export function addPasswordOptions(command: Command): Command {
  return command
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-env <name>', 'read the password from this environment variable')
    .option('--password-file <file>', 'read the password from this file');
}

/** Null: none of the options was given. One newline at the end does not belong to it. */
export async function givenPassword(context: CliContext, options: PasswordOptions): Promise<string | null> {
  if (options.passwordStdin) return withoutNewline(await text(context.stdin));
  if (options.passwordEnv !== undefined)
    return context.env[options.passwordEnv] ?? missing(`the environment has no ${options.passwordEnv}`);
  if (options.passwordFile !== undefined) return withoutNewline(readPasswordFile(options.passwordFile));
  return null;
}

function readPasswordFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return missing(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const withoutNewline = (value: string): string => value.replace(/\r?\n$/, '');

function missing(why: string): never {
  throw new EngineError('usage', `No password: ${why}.`);
}

/** Asks on a terminal, without echo. */
export async function askPassword(context: CliContext): Promise<string> {
  if (!context.isTerminal || context.stdin.isTTY !== true)
    return missing('use --password-stdin, --password-env NAME or --password-file FILE');
  return ask(context, 'Password: ', false);
}

export function ask(context: CliContext, question: string, isShown: boolean): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: context.stdin, output: isShown ? context.stdout : silent, terminal: true });
  if (!isShown) context.stdout.write(question);
  return new Promise((resolve) => {
    prompt.question(isShown ? question : '', (answer) => {
      prompt.close();
      if (!isShown) context.stdout.write('\n');
      resolve(answer);
    });
  });
}
