/** `account list` and `account show`. */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { Login } from '../store/logins.ts';
import type { Account, Folder, Store } from '../store/store.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { type Cell, formatTable } from './table.ts';

export function register(account: Command, context: CliContext): void {
  account
    .command('list')
    .description('all accounts with their state')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => list(context, options.json === true));
  account
    .command('show <acntid>')
    .description('one account with its folders')
    .option('--json', 'print JSON')
    .action((acntid: string, options: { json?: boolean }) =>
      show(context, numberArgument('ACNTID')(acntid), options.json === true),
    );
}

async function list(context: CliContext, isJson: boolean): Promise<void> {
  const accounts = await context.withStore((store) => store.accounts());
  context.print(
    isJson
      ? JSON.stringify(accounts, null, 2)
      : accounts.length === 0
        ? 'no accounts; see `backproc account add --help`'
        : formatTable(accounts.map(accountRow)),
  );
}

const accountRow = ({ acntid, email, imap, enabled, state, checkedAt, lastError }: Account) => ({
  acntid,
  email,
  server: `${imap.host}:${imap.port}`,
  security: imap.security,
  enabled,
  state,
  checked_at: checkedAt,
  last_error: lastError,
});

export async function accountOf(store: Store, acntid: number): Promise<Account> {
  const account = await store.account(acntid);
  if (!account) throw new EngineError('account_unknown', `${acntid}.`);
  return account;
}

/** A filter by an account that does not exist is a slip, not an empty mailbox. */
export async function refuseUnknown(store: Store, acntid: number | undefined): Promise<void> {
  if (acntid !== undefined) await accountOf(store, acntid);
}

async function show(context: CliContext, acntid: number, isJson: boolean): Promise<void> {
  const { account, login, readers, folders } = await context.withStore(async (store) => ({
    account: await accountOf(store, acntid),
    login: await store.login(acntid),
    readers: (await store.readers()).get(acntid) ?? [],
    folders: await store.folders(acntid),
  }));
  if (isJson)
    return context.print(JSON.stringify({ ...account, login, readers, folders: folders.map(folderRow) }, null, 2));
  const { imap, smtp, ...rest } = account;
  const fields = {
    ...rest,
    imap: urlOf('imap', imap),
    smtp: smtp === null ? null : urlOf('smtp', smtp),
    readers: readers.length === 0 ? null : readers.join(', '),
    ...(login && loginFields(login)),
  };
  context.print(formatTable(Object.entries(fields).map(([field, value]) => ({ field, value }))));
  if (folders.length > 0) context.print(`\n${formatTable(folders.map(folderRow))}`);
}

/** For people: in words, without the parts that a plain account has not. */
const loginFields = ({ loginUser, oauth, hasPassword, hasPasswordCommand, ...grant }: Login): Record<string, Cell> => ({
  login: oauth ? 'OAuth' : hasPasswordCommand ? 'password by command' : hasPassword ? 'password' : 'no password',
  ...(loginUser !== null && { loginAs: loginUser }),
  ...(oauth && {
    oauthClient: `${oauth.clientId} at ${oauth.tokenUrl}`,
    oauthGrant: grant.hasRefreshToken ? 'refresh token' : 'client credentials',
    tokenUntil: grant.accessTokenExpiresAt,
    refreshError: grant.refreshError,
  }),
});

const urlOf = (kind: string, { host, port, user, security }: Account['imap']): string =>
  `${kind}://${encodeURIComponent(user)}@${host}:${port} (${security})`;

export const folderRow = (folder: Folder) => ({
  emfdid: folder.emfdid,
  path: folder.path,
  role: folder.role,
  priority: folder.priority,
  messages: folder.messageCount,
  held: folder.heldCount,
  recent_synced_at: folder.recentSyncedAt,
  full_synced_at: folder.fullSyncedAt,
  last_error: folder.lastError,
});
