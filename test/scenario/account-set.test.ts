/** What `account set` refuses as `account add` does. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createInstallation, type Installation } from '../support/installation.ts';

let installation: Installation;
beforeEach(() => {
  installation = createInstallation();
});
afterEach(() => installation.remove());

it('account set takes no address that is none, and leaves the account as it was', async () => {
  const acntid = await installation.addAccount(1, 'anna');
  for (const email of ['', 'anna', 'a b@example.com', 'anna@'])
    expect(await installation.run('account', 'set', String(acntid), '--email', email)).toMatchObject({
      code: 64,
      stderr: `backproc: --email: "${email}" is no address.\n`,
    });
  expect(installation.query('SELECT email FROM email_accounts')).toEqual([{ email: 'anna@example.com' }]);
});
