/** Asking on a terminal: passwords without echo, and yes or no. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { EngineError } from '../base/errors.ts';
import type { CliContext } from './context.ts';

export const isInteractive = (context: CliContext): boolean => context.isTerminal && context.stdin.isTTY === true;

/** Asks on a terminal, without echo. */
export async function askPassword(context: CliContext): Promise<string> {
  if (!isInteractive(context))
    throw new EngineError('usage', 'No password: use --password-stdin, --password-env NAME or --password-file FILE.');
  return ask(context, 'Password: ', false);
}

export async function isYes(context: CliContext, question: string, fallback: 'y' | 'n'): Promise<boolean> {
  const answer = (await ask(context, `${question} [${fallback === 'y' ? 'Y/n' : 'y/N'}] `, true)).trim();
  return /^y(es)?$/i.test(answer === '' ? fallback : answer);
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
