/** The store in one's own process: for the command line, which edits a row or two while no engine runs. */

import { createSecrets } from '../secrets.ts';
import type { Store } from '../store.ts';
import { createConnection } from './connection.ts';
import { toStoreFailure } from './failure.ts';
import { commitGroup } from './group-commit.ts';
import { openWriter } from './open.ts';
import { storeOf, type Write } from './store-of.ts';

export interface StoreFiles {
  /** mail.db; created with its folder when missing. */
  readonly file: string;
  /** Created when the first password is sealed. */
  readonly keyFile: string;
  /** Called at each durable step; the crash tests end the process there. */
  readonly step?: () => void;
}

/** Each write verb is one transaction. Throws what `openWriter` throws. */
export async function openSqliteStore({ file, keyFile, step = () => undefined }: StoreFiles): Promise<Store> {
  const connection = createConnection(openWriter(file), createSecrets(keyFile), step);
  const write: Write = async (verb, ...args) => {
    const [outcome] = commitGroup(connection, [{ verb, args }], step);
    if (outcome && 'error' in outcome) throw toStoreFailure(outcome.error);
    return outcome?.value as never;
  };
  return storeOf(connection, write, async () => {
    connection.database.close();
  });
}
