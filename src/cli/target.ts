/** Files and folders that a command is told to write: what stands in the way there is the caller's to put right, no defect. */
import { EngineError } from '../base/errors.ts';

/** Does `work`, which writes to `target`. Throws `usage` for what the system refuses: no such folder, no permission, no room. */
export async function writingTo<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    throw new EngineError('usage', `${target} cannot be written: ${error.message}.`, { cause: error });
  }
}

const isOfSystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && 'errno' in error;
