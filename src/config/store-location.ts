/** Where the store lies. */
import { existsSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EngineError } from '../base/errors.ts';

/** Path of the SQLite file named by an absolute BACKPROC_STORE: the file itself, whatever links lead there. */
export function storeFile(config: { readonly BACKPROC_STORE: string }): string {
  if (config.BACKPROC_STORE.startsWith('sqlite:')) return linkedFile(config.BACKPROC_STORE.slice('sqlite:'.length));
  throw new EngineError('config_invalid', 'BACKPROC_STORE: this version stores in SQLite only; use sqlite:FILE');
}

/** As many as Linux follows. Of a circle SQLite says what is wrong. */
const linksMax = 40;

/**
 * The lock lies beside it, and SQLite puts the WAL there: by two names of one store two engines would hold a lock each. A link to a
 * file that is not made yet counts as well.
 */
function linkedFile(named: string): string {
  let file = named;
  for (let count = 0; count < linksMax; count += 1) {
    const target = targetOf(file);
    if (target === null) break;
    file = resolve(realFolder(dirname(file)), target);
  }
  return file;
}

const realFolder = (folder: string): string => (existsSync(folder) ? realpathSync(folder) : folder);

function targetOf(file: string): string | null {
  try {
    return readlinkSync(file);
  } catch {
    return null; // a file, or nothing yet
  }
}
