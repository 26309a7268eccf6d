/**
 * Accounts as a file, for moving and for keeping: `account export` writes it, `account import` reads it. Open fields can be read and
 * written by hand; secrets are in one sealed part. Reading is pure and tells all mistakes at once. Throws `file_invalid`.
 */
import { z } from 'zod';
import { EngineError } from '../base/errors.ts';
import { isLoopback } from '../base/loopback.ts';
import { openWithPassphrase, type Sealed, sealedSchema, sealWithPassphrase } from './passphrase.ts';
import { isSafeTokenUrl } from './token-endpoint.ts';

const name = 'backproc accounts';

const word = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^\P{Cc}*$/u, 'control characters are not allowed');
const server = z.strictObject({
  host: word.regex(/^[^\s/@]+$/, 'expected a host name or address').toLowerCase(),
  port: z.number().int().min(1).max(65_535),
  security: z.enum(['tls', 'starttls', 'none']),
  user: word,
});
const oauth = z.strictObject({
  preset: word.nullable().default(null),
  clientId: word,
  tokenUrl: z.string().refine(isSafeTokenUrl, 'expected an https:// URL'),
  scope: word.nullable().default(null),
});

/** What is absent stays as it is in an account that exists already, and is empty in a new one. */
const accountSchema = z.strictObject({
  acntid: z.number().int().min(1).optional(),
  email: word.regex(/^\S+$/, 'expected an address'),
  imap: server,
  smtp: server.nullable().optional(),
  name: word.nullable().optional(),
  userId: word.nullable().optional(),
  readers: z.array(word).optional(),
  enabled: z.boolean().optional(),
  allowPlaintext: z.boolean().optional(),
  loginUser: word.nullable().optional(),
  oauth: oauth.nullable().optional(),
});

const fileSchema = z.strictObject({
  format: z.literal(name),
  version: z.literal(1),
  exportedAt: z.string().optional(),
  accounts: z.array(accountSchema),
  secrets: sealedSchema.optional(),
});

const secretsSchema = z.strictObject({
  password: z.string().optional(),
  passwordCommand: z.array(z.string()).optional(),
  clientSecret: z.string().optional(),
  refreshToken: z.string().optional(),
});

export type FileAccount = z.infer<typeof accountSchema>;
export type FileSecrets = z.infer<typeof secretsSchema>;

export interface AccountFile {
  readonly accounts: readonly FileAccount[];
  readonly secrets: Sealed | null;
  /** What the secrets are sealed for: the accounts as they are written in the file. */
  readonly boundTo: string;
}

export function readAccountFile(text: string): AccountFile {
  const json = toJson(text);
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) throw invalid(parsed.error.issues.flatMap(toMistakes));
  const { accounts, secrets } = parsed.data;
  const mistakes = accounts.flatMap((account, index) => mistakesOf(account, index, accounts));
  if (mistakes.length > 0) throw invalid(mistakes);
  return { accounts, secrets: secrets ?? null, boundTo: boundTo((json as { accounts: unknown[] }).accounts) };
}

export const invalid = (mistakes: readonly string[]): EngineError =>
  new EngineError('file_invalid', `\n${mistakes.map((line) => `  ${line}`).join('\n')}`);

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid([`it is no JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function toMistakes(issue: z.core.$ZodIssue): string[] {
  const place = pathText(issue.path);
  return issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => `${pathText([...issue.path, key])}: no such field`)
    : [`${place === '' ? 'the file' : place}: ${issue.message}`];
}

/** accounts[3].imap.port */
const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}${text === '' ? '' : '.'}${String(part)}`),
    '',
  );

export const loginKey = ({ imap }: Pick<FileAccount, 'imap'>): string =>
  JSON.stringify([imap.user, imap.host.toLowerCase()]);

/** What no schema of one account sees. */
function mistakesOf(account: FileAccount, index: number, all: readonly FileAccount[]): string[] {
  const place = `accounts[${index}]`;
  const before = all.slice(0, index);
  const isTwice = before.some((other) => loginKey(other) === loginKey(account));
  const isNumberTwice = account.acntid !== undefined && before.some(({ acntid }) => acntid === account.acntid);
  const plain = (['imap', 'smtp'] as const).filter((kind) => {
    const at = account[kind];
    return at?.security === 'none' && !isLoopback(at.host) && account.allowPlaintext !== true;
  });
  return [
    ...(isTwice ? [`${place}: the login ${account.imap.user} at ${account.imap.host} is in the file twice`] : []),
    ...(isNumberTwice ? [`${place}.acntid: ${account.acntid} is in the file twice`] : []),
    ...plain.map((kind) => `${place}.${kind}.security: none needs allowPlaintext: true`),
  ];
}

export interface ExportedAccount {
  readonly account: FileAccount;
  readonly secrets: FileSecrets;
}

/** `passphrase` null: without secrets. */
export async function writeAccountFile(
  exported: readonly ExportedAccount[],
  passphrase: string | null,
  exportedAt: string,
): Promise<string> {
  const accounts = exported.map(({ account }) => account);
  const text = JSON.stringify(exported.map(({ secrets }) => secrets));
  const secrets = passphrase === null ? undefined : await sealWithPassphrase(text, passphrase, boundTo(accounts));
  return JSON.stringify({ format: name, version: 1, exportedAt, accounts, secrets }, null, 2);
}

/** Of each account, in the order of the file. Throws `passphrase_wrong`, `file_invalid`. */
export async function openSecrets(file: AccountFile, passphrase: string): Promise<readonly FileSecrets[]> {
  if (!file.secrets) return file.accounts.map(() => ({}));
  const text = await openWithPassphrase(file.secrets, passphrase, file.boundTo);
  const parsed = z.array(secretsSchema).length(file.accounts.length).safeParse(toJson(text));
  if (!parsed.success) throw invalid(['secrets: not what this version writes']);
  return parsed.data;
}

/** In a fixed order of fields, however the file was laid out since. */
const boundTo = (accounts: readonly unknown[]): string => JSON.stringify(accounts.map((one) => sorted(one)));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
