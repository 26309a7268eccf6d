/**
 * Migration 9: accounts whose removal has begun; they go with the last of their mail. Private. Such an account is not enabled
 * again, by whatever program, and takes no mail to send.
 */
export const migration9 = `
CREATE TABLE account_removals (
  acntid INTEGER PRIMARY KEY REFERENCES email_accounts (acntid) ON DELETE CASCADE
);
CREATE TRIGGER email_accounts_removing BEFORE UPDATE OF enabled ON email_accounts
WHEN NEW.enabled <> 0 AND EXISTS (SELECT 1 FROM account_removals WHERE acntid = NEW.acntid)
BEGIN
  SELECT RAISE(ABORT, 'email_accounts.enabled: this account is being removed');
END;
DROP TRIGGER email_outbox_account;
CREATE TRIGGER email_outbox_account BEFORE INSERT ON email_outbox
WHEN NOT EXISTS (SELECT 1 FROM email_accounts WHERE acntid = NEW.acntid)
  OR EXISTS (SELECT 1 FROM account_removals WHERE acntid = NEW.acntid)
BEGIN
  SELECT RAISE(ABORT, 'email_outbox.acntid: there is no such account');
END;`;
