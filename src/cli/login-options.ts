/**
 * `account add` and `account set`: what an account logs in with beside a plain password. What is given is checked as a whole before
 * anything is written.
 */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import { isPresetName, type Preset, presets } from '../login/presets.ts';
import { isSafeTokenUrl } from '../login/token-endpoint.ts';
import type { Login, LoginChanges } from '../store/logins.ts';
import type { CliContext } from './context.ts';
import { addSecretOptions, givenSecret } from './secret-options.ts';
import { parseWords } from './words.ts';

export interface LoginOptions {
  readonly loginAs?: string;
  readonly passwordCommand?: string;
  readonly oauthPreset?: string;
  readonly oauthClientId?: string;
  readonly oauthTokenUrl?: string;
  readonly oauthScope?: string;
  readonly oauthClientCredentials?: boolean;
  /** False: --no-oauth. */
  readonly oauth?: boolean;
}

interface LoginSecrets {
  readonly refreshToken: string | null;
  readonly clientSecret: string | null;
}

export function addLoginOptions(command: Command): Command {
  command
    .option(
      '--login-as <user>',
      "log in as this user, into the mailbox of the URL's user (shared and delegated mailboxes)",
    )
    .option('--password-command <words>', 'program and arguments that print the password; or a JSON list of them')
    .option('--oauth-preset <name>', `log in by OAuth: ${Object.keys(presets).join(' or ')}`)
    .option('--oauth-client-id <id>', 'the client id of your OAuth application')
    .option('--oauth-token-url <url>', "the provider's token URL, where no preset names it")
    .option('--oauth-scope <scope>', 'the scope to ask for')
    .option('--oauth-client-credentials', 'the application itself is granted access: there is no refresh token');
  addSecretOptions(command, 'oauth-refresh-token', 'the refresh token');
  return addSecretOptions(command, 'oauth-client-secret', "the client's secret");
}

export async function givenLogin(
  context: CliContext,
  options: LoginOptions,
  login: Login | null,
): Promise<LoginChanges> {
  const secrets = {
    refreshToken: await givenSecret(context, { ...options }, 'oauth-refresh-token'),
    clientSecret: await givenSecret(context, { ...options }, 'oauth-client-secret'),
  };
  return toLoginChanges(options, secrets, login);
}

/** Pure. `login`: what there is, null for a new account. Throws usage. An empty word takes away what it names. */
export function toLoginChanges(options: LoginOptions, secrets: LoginSecrets, login: Login | null): LoginChanges {
  const oauth = oauthOf(options, secrets, login);
  return {
    ...(options.loginAs !== undefined && { loginUser: options.loginAs === '' ? null : options.loginAs }),
    ...(options.passwordCommand !== undefined && { passwordCommand: commandOf(options.passwordCommand) }),
    ...(oauth !== undefined && { oauth }),
  };
}

const commandOf = (text: string): readonly string[] | null => (text === '' ? null : parseWords(text));

function oauthOf(options: LoginOptions, secrets: LoginSecrets, login: Login | null): LoginChanges['oauth'] {
  if (options.oauth === false) return null;
  const preset = presetOf(options);
  const scope = options.oauthScope ?? (options.oauthClientCredentials ? preset?.clientScope : preset?.scope);
  const tokenUrl = options.oauthTokenUrl ?? preset?.tokenUrl;
  const changes = {
    ...(options.oauthPreset !== undefined && { preset: options.oauthPreset }),
    ...(options.oauthClientId !== undefined && { clientId: options.oauthClientId }),
    ...(tokenUrl !== undefined && { tokenUrl }),
    ...(scope !== undefined && { scope: scope === '' ? null : scope }),
    ...(secrets.clientSecret !== null && { clientSecret: secrets.clientSecret }),
    ...(secrets.refreshToken !== null && { refreshToken: secrets.refreshToken }),
    ...(options.oauthClientCredentials && { refreshToken: null }),
  };
  if (Object.keys(changes).length === 0) return undefined;
  refuseIncomplete(changes, options, login);
  return changes;
}

function presetOf({ oauthPreset, oauthClientCredentials, oauthTokenUrl }: LoginOptions): Preset | undefined {
  if (oauthPreset === undefined) return undefined;
  if (!isPresetName(oauthPreset)) return refuse(`--oauth-preset is ${Object.keys(presets).join(' or ')}`);
  const preset: Preset = presets[oauthPreset];
  if (oauthClientCredentials && (preset.clientScope === null || oauthTokenUrl === undefined))
    return refuse(
      `--oauth-client-credentials with ${oauthPreset} needs --oauth-token-url and --oauth-scope of its own`,
    );
  return preset;
}

function refuseIncomplete(
  changes: NonNullable<LoginChanges['oauth']>,
  options: LoginOptions,
  login: Login | null,
): void {
  if (changes.clientId === undefined && !login?.oauth) refuse('OAuth needs --oauth-client-id');
  if (changes.tokenUrl === undefined && !login?.oauth) refuse('OAuth needs --oauth-preset or --oauth-token-url');
  if (changes.tokenUrl !== undefined && !isSafeTokenUrl(changes.tokenUrl)) refuse('--oauth-token-url must be https://');
  const hasRefreshToken = typeof changes.refreshToken === 'string' || login?.hasRefreshToken === true;
  const hasSecret = changes.clientSecret !== undefined || login?.hasClientSecret === true;
  if (options.oauthClientCredentials) {
    if (!hasSecret) refuse('--oauth-client-credentials needs --oauth-client-secret-stdin, -env or -file');
  } else if (!hasRefreshToken && !(login?.oauth && hasSecret))
    refuse('OAuth needs --oauth-refresh-token-stdin, -env or -file, or --oauth-client-credentials');
}

function refuse(why: string): never {
  throw new EngineError('usage', `${why}.`);
}
