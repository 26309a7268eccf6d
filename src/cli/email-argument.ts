/** Addresses on the command line. */
import { EngineError } from '../base/errors.ts';

/** Throws usage: what is no address can't be a login nor a sender. */
export function checkEmail(text: string): void {
  if (!/^[^\s\p{Cc}@]+@[^\s\p{Cc}@]+$/u.test(text))
    throw new EngineError('usage', `--email: ${JSON.stringify(text)} is no address.`);
}
