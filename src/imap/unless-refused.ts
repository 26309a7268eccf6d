/** A refusal of one command is often no reason to stop: another may do. */
import { asEngineError } from '../base/errors.ts';

/** Undefined: the server refused it. */
export async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const failure = asEngineError(error);
    if (failure.code !== 'command_refused') throw failure;
    return undefined;
  }
}
