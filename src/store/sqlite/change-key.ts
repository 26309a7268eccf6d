/**
 * A new key for all secrets. Both verbs run inside a write transaction, so nobody seals anything meanwhile, and of two that
 * change keys one waits for the other. Steps (key-file.ts): FILE.new is there · FILE.old is there · FILE is the new key · COMMIT:
 * everything is sealed with it · FILE.old is gone. Between any two of them FILE and FILE.old together open every secret.
 */
import { dropOldKeyFile, swapKey } from '../key-file.ts';
import type { KeyChange } from '../logins.ts';
import type { Connection } from './connection.ts';
import { hasStaleSecrets, resealAll } from './sealed.ts';

export function changeKey(c: Connection): KeyChange {
  const isNew = swapKey(c.secrets.keyFile, c.step);
  return { isNew, ...resealAll(c) };
}

export function dropOldKey(c: Connection): boolean {
  if (hasStaleSecrets(c)) return false;
  dropOldKeyFile(c.secrets.keyFile);
  return true;
}
