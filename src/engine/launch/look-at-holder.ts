/** Who holds the lock, for those who say why they could not look. The quick look of a launch loads no catalogue of errors for that. */
import { EngineError } from '../../base/errors.ts';
import { type Holder, readHolder } from './holder.ts';

/** Throws store_io where the folder of the store is closed to this user: nobody can tell then whether an engine runs. */
export function lookAtHolder(storeFile: string): Holder | undefined {
  try {
    return readHolder(storeFile);
  } catch (error) {
    throw new EngineError('store_io', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
