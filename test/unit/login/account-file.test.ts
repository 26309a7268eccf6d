import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openSecrets, readAccountFile, writeAccountFile } from '../../../src/login/account-file.ts';
import { changedFields, planImport, type StoredAccount } from '../../../src/login/account-import.ts';

const at = '2026-11-24T12:00:00.000Z';
const passphrase = 'correct horse';
const imap = { host: 'mail.example.com', port: 993, security: 'tls', user: 'anna' } as const;
const open = { acntid: 1, email: 'anna@example.com', imap };
const fileOf = (...accounts: unknown[]): string =>
  JSON.stringify({ format: 'backproc accounts', version: 1, accounts });
const mistakes = (text: string): string => {
  try {
    readAccountFile(text);
    return 'none';
  } catch (error) {
    return String(error);
  }
};

const stored = (more: Partial<StoredAccount> = {}): StoredAccount => ({
  account: {
    ...open,
    userId: null,
    name: null,
    smtp: null,
    allowPlaintext: false,
    enabled: true,
    state: 'ok',
    lastError: null,
    retryAt: null,
    checkedAt: null,
    failureCount: 0,
    vanishedTrust: 0,
  },
  login: {
    loginUser: null,
    hasPassword: true,
    hasPasswordCommand: false,
    oauth: null,
    hasRefreshToken: false,
    hasClientSecret: false,
    accessTokenExpiresAt: null,
    refreshError: null,
  },
  readers: [],
  secrets: { password: 'pw' },
  ...more,
});
const oauth = { preset: null, clientId: 'app', tokenUrl: 'https://login.example.com/t', scope: null };
const granted = stored({
  login: { ...stored().login, hasPassword: false, oauth, hasRefreshToken: true },
  secrets: { refreshToken: 'rotated since' },
});

describe('an account file', () => {
  it('gives back what was written, secrets only with the passphrase', async () => {
    const secrets = { password: 'geheim ✓', passwordCommand: ['/bin/pw', 'a b'] };
    const text = await writeAccountFile([{ account: open, secrets }], passphrase, at);
    expect(text).not.toMatch(/geheim|bin/);
    const file = readAccountFile(text);
    expect(file.accounts).toEqual([open]);
    expect(await openSecrets(file, passphrase)).toEqual([secrets]);
    await expect(openSecrets(file, 'wrong horse')).rejects.toMatchObject({ code: 'passphrase_wrong' });
    const plain = readAccountFile(await writeAccountFile([{ account: open, secrets }], null, at));
    expect([plain.secrets, await openSecrets(plain, '')]).toEqual([null, [{}]]);
  });

  it('opens its secrets for no other accounts than they were sealed with, however it is laid out', async () => {
    const text = await writeAccountFile([{ account: open, secrets: { password: 'pw' } }], passphrase, at);
    const json = JSON.parse(text) as { accounts: { imap: { host: string } }[] };
    const turned = { ...json, accounts: json.accounts.map((one) => Object.fromEntries(Object.entries(one).reverse())) };
    expect(await openSecrets(readAccountFile(JSON.stringify(turned)), passphrase)).toEqual([{ password: 'pw' }]);
    const [first] = json.accounts;
    if (first) first.imap.host = 'evil.example';
    await expect(openSecrets(readAccountFile(JSON.stringify(json)), passphrase)).rejects.toMatchObject({
      code: 'passphrase_wrong',
    });
  });

  it('has all its mistakes told at once, each with its place', () => {
    const text = mistakes(
      fileOf(
        { ...open, colour: 'red', imap: { ...imap, port: 0, security: 'ssl' } },
        { email: 'b c', imap },
        { ...open, acntid: 2, oauth: { clientId: 'app', tokenUrl: 'http://login.example.com' } },
      ),
    );
    for (const place of [
      'accounts[0].colour: no such field',
      'accounts[0].imap.port: ',
      'accounts[0].imap.security: ',
      'accounts[1].email: expected an address',
      'accounts[2].oauth.tokenUrl: expected an https:// URL',
    ])
      expect(text).toContain(place);
  });

  it.each([
    ['no JSON', '{', /no JSON/],
    ['another file', '{"a":1}', /format/],
    ['a newer version', '{"format":"backproc accounts","version":2,"accounts":[]}', /version/],
    ['a login twice', fileOf(open, { ...open, acntid: 2 }), /accounts\[1\]: the login anna .* twice/],
    ['a number twice', fileOf(open, { ...open, imap: { ...imap, user: 'bob' } }), /accounts\[1\]\.acntid: 1 .* twice/],
    ['a password in the clear', fileOf({ ...open, imap: { ...imap, security: 'none' } }), /allowPlaintext/],
    [
      'a cost that would take all memory',
      JSON.stringify({
        format: 'backproc accounts',
        version: 1,
        accounts: [],
        secrets: {
          kdf: 'scrypt',
          n: 2 ** 30,
          r: 8,
          p: 1,
          salt: '',
          cipher: 'aes-256-gcm',
          nonce: '',
          tag: '',
          data: '',
        },
      }),
      /secrets\.n/,
    ],
  ])('that is %s is refused', (_title, text, words) => {
    expect(mistakes(text)).toMatch(words);
  });

  it('of any shape is read or refused, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((value) => fileOf(JSON.parse(value))),
        ),
        (text) => {
          expect(mistakes(text)).toMatch(/none|The file has mistakes/);
        },
      ),
    );
  });
});

describe('an import', () => {
  const plan = (given: object, secrets: object, ...there: StoredAccount[]) =>
    planImport(readAccountFile(fileOf(given)).accounts, [secrets], there, { newNumbers: false });

  it('adds what is not there, with its number, and says when that is taken', () => {
    const { steps, mistakes: none } = plan({ ...open, readers: ['u'], enabled: false }, { password: 'pw' });
    expect([steps[0], none]).toEqual([
      {
        kind: 'add',
        account: {
          ...open,
          name: null,
          userId: null,
          smtp: null,
          allowPlaintext: false,
          enabled: false,
          readers: ['u'],
          password: 'pw',
        },
      },
      [],
    ]);
    const other = { ...open, imap: { ...imap, user: 'bob' } };
    expect(plan(other, {}, stored()).mistakes).toEqual(['accounts[0].acntid: 1 is taken by anna@example.com']);
    const again = planImport(readAccountFile(fileOf(other)).accounts, [{}], [stored()], { newNumbers: true });
    expect(again.mistakes).toEqual([]);
    expect(again.steps[0]).not.toHaveProperty('account.acntid');
  });

  it('changes what differs, and leaves what the file does not name', () => {
    const { steps } = plan({ ...open, name: 'Anna', readers: ['u'], loginUser: 'boss' }, { password: 'new' }, stored());
    expect(steps).toEqual([
      {
        kind: 'change',
        acntid: 1,
        email: 'anna@example.com',
        changes: { name: 'Anna', readers: ['u'], password: 'new', login: { loginUser: 'boss' } },
      },
    ]);
    expect(steps.map((step) => (step.kind === 'change' ? changedFields(step.changes) : []))).toEqual([
      ['name', 'readers', 'password', 'loginUser'],
    ]);
  });

  it('keeps a refresh token that may have been rotated since, unless the client is another', () => {
    expect(plan({ ...open, oauth }, { refreshToken: 'of then' }, granted).steps[0]?.kind).toBe('keep');
    const other = { ...oauth, clientId: 'other' };
    expect(plan({ ...open, oauth: other }, { refreshToken: 'theirs' }, granted).steps[0]).toMatchObject({
      changes: { login: { oauth: { ...other, refreshToken: 'theirs', clientSecret: null } } },
    });
    expect(
      plan(
        { ...open, oauth },
        { refreshToken: 'first' },
        { ...granted, login: { ...granted.login, hasRefreshToken: false } },
      ).steps[0],
    ).toMatchObject({
      changes: { login: { oauth: { refreshToken: 'first' } } },
    });
    expect(plan({ ...open, oauth: null }, {}, granted).steps[0]).toMatchObject({ changes: { login: { oauth: null } } });
  });

  it('of what is there changes nothing', () => {
    for (const one of [stored(), granted, stored({ readers: ['a', 'b'] })]) {
      const { acntid, email, imap: at, smtp, name, userId, enabled, allowPlaintext } = one.account;
      const { loginUser, oauth: client } = one.login;
      const given = {
        acntid,
        email,
        imap: at,
        smtp,
        name,
        userId,
        readers: one.readers,
        enabled,
        allowPlaintext,
        loginUser,
        oauth: client,
      };
      expect(plan(given, one.secrets, one).steps).toEqual([{ kind: 'keep', acntid: 1, email }]);
    }
  });
});
