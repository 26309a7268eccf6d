/**
 * Migration 8: a mail for an account that does not exist is refused when it is inserted, also from programs that have not turned
 * PRAGMA foreign_keys on (it is off by default in most). It would wait for ever.
 */
export const migration8 = `
CREATE TRIGGER email_outbox_account BEFORE INSERT ON email_outbox
WHEN NOT EXISTS (SELECT 1 FROM email_accounts WHERE acntid = NEW.acntid)
BEGIN
  SELECT RAISE(ABORT, 'email_outbox.acntid: there is no such account');
END;`;
