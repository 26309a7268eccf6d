/** Numbers on the command line. */
import { EngineError } from '../base/errors.ts';

/** In plain digits: Number() would take 1e3 for account 1000, and 0x1 for account 1. */
const digits = /^0*[1-9]\d*$/;

/** A whole number given as an argument. */
export function numberArgument(what: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!digits.test(text) || !Number.isSafeInteger(value))
      throw new EngineError('usage', `${what} must be a whole number, not ${JSON.stringify(text)}.`);
    return value;
  };
}
