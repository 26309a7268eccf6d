/** Numbers on the command line. */
import { EngineError } from '../base/errors.ts';

/** A whole number given as an argument. */
export function numberArgument(what: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1)
      throw new EngineError('usage', `${what} must be a whole number, not ${JSON.stringify(text)}.`);
    return value;
  };
}
