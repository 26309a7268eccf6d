/** Migration 7: how much was fetched for each account on its last local day (BG_MAX_BYTES_PER_DAY_PER_ACCOUNT). Private. */
export const migration7 = `
CREATE TABLE account_traffic (
  acntid INTEGER PRIMARY KEY REFERENCES email_accounts (acntid) ON DELETE CASCADE,
  day TEXT NOT NULL,
  bytes INTEGER NOT NULL
);`;
