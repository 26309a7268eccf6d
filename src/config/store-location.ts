/** Where the store lies. */
import { EngineError } from '../base/errors.ts';

/** Path of the SQLite file named by an absolute BACKPROC_STORE. */
export function storeFile(config: { readonly BACKPROC_STORE: string }): string {
  if (config.BACKPROC_STORE.startsWith('sqlite:')) return config.BACKPROC_STORE.slice('sqlite:'.length);
  throw new EngineError('config_invalid', 'BACKPROC_STORE: this version stores in SQLite only; use sqlite:FILE');
}
