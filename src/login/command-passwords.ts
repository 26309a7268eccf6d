/** Passwords that commands handed out, kept for a while in this thread's memory: an account opens several connections a pass. */
import { type CommandSubject, fillCommand, runPasswordCommand } from './password-command.ts';

/** Long enough for the connections of one pass, short enough that a changed password is soon asked for. */
const keepMs = 5 * 60_000;
/** Accounts whose passwords are kept; the oldest goes first. */
const keepCountMax = 1000;

interface Kept {
  readonly password: Promise<string>;
  readonly untilMs: number;
}

/** `refused`: a password that the server has just refused; it is not handed out from memory again. */
export type CommandPasswords = (
  command: readonly string[],
  subject: CommandSubject,
  refused: string | null,
) => Promise<string>;

export function createCommandPasswords(signal: AbortSignal): CommandPasswords {
  const kept = new Map<string, Kept>();
  return async (command, subject, refused) => {
    const argv = fillCommand(command, subject);
    const key = JSON.stringify(argv);
    const known = kept.get(key);
    if (known && known.untilMs > performance.now() && (refused === null || (await known.password) !== refused))
      return known.password;
    const password = runPasswordCommand(argv, signal);
    kept.delete(key);
    kept.set(key, { password, untilMs: performance.now() + keepMs });
    forgetOldest(kept);
    // What failed is not kept; who asked hears of it below.
    password.catch(() => kept.delete(key));
    return password;
  };
}

function forgetOldest(kept: Map<string, Kept>): void {
  const [oldest] = kept.keys();
  if (kept.size > keepCountMax && oldest !== undefined) kept.delete(oldest);
}
