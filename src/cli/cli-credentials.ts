/** Credentials for a command: as the engine has them, but whoever types it wants to know now, whatever failed a moment ago. */
import type { CredentialsOf } from '../base/credentials.ts';
import type { Store } from '../store/store.ts';
import type { CliContext } from './context.ts';

export async function cliCredentials(context: CliContext, store: Store): Promise<CredentialsOf> {
  const { config } = await context.loadConfig();
  const { createCredentials } = await import('../login/credentials.ts');
  return createCredentials(store, { passwordCommand: config.EMAIL_PASSWORD_COMMAND, ignoresBackoff: true });
}
