/** The passphrase of an account file: from an option, or asked on a terminal. */
import { EngineError } from '../base/errors.ts';
import type { CliContext } from './context.ts';
import { ask, isInteractive } from './password.ts';
import { type GivenOptions, givenSecret } from './secret-options.ts';

/** Shorter ones are guessed, however slow a guess is made. */
const lengthMin = 8;

export async function passphraseFor(
  context: CliContext,
  options: GivenOptions,
  use: 'export' | 'import',
): Promise<string> {
  const passphrase = (await givenSecret(context, options, 'passphrase')) ?? (await asked(context, use));
  if (use === 'export' && passphrase.length < lengthMin)
    throw new EngineError('usage', `The passphrase must have at least ${lengthMin} characters.`);
  return passphrase;
}

async function asked(context: CliContext, use: 'export' | 'import'): Promise<string> {
  if (!isInteractive(context))
    throw new EngineError('usage', 'Secrets need --passphrase-stdin, --passphrase-env NAME or --passphrase-file FILE.');
  const passphrase = await ask(context, 'Passphrase: ', false);
  if (use === 'export' && (await ask(context, 'Once more: ', false)) !== passphrase)
    throw new EngineError('usage', 'The two differ; nothing was written.');
  return passphrase;
}
