/** The judge: what the server has against what the store says, message by message (RELIABILITY: lost, doubled, invented, bytes, flags). */
import type { ListedFolder } from './imap-client.ts';
import type { Installation } from './installation.ts';

interface StoredRow {
  readonly path: string;
  readonly uidvalidity: number;
  readonly uid: number;
  readonly flags: string;
  readonly internaldate: string;
  readonly sha256: string;
  readonly folder_uidvalidity: number;
}

const sql = `SELECT f.path, m.uidvalidity, f.uidvalidity AS folder_uidvalidity, m.uid, m.flags, m.internaldate, c.sha256, length(r.raw) AS bytes
  FROM email_messages m JOIN email_folders f USING (emfdid) JOIN email_contents c ON c.id = m.content_id JOIN email_raw r ON r.content_id = c.id
  WHERE m.acntid = ? AND m.vanished_at IS NULL AND f.retired_at IS NULL`;

/** Every difference as one line; empty: the store is a true copy. */
export function differences(installation: Installation, acntid: number, listing: readonly ListedFolder[]): string[] {
  const rows = installation.query<StoredRow>(sql, acntid);
  const found: string[] = [];
  const stored = new Map<string, StoredRow>();
  for (const row of rows) {
    const key = `${row.path}/${row.uidvalidity}/${row.uid}`;
    if (stored.has(key)) found.push(`doubled: ${key}`);
    stored.set(key, row);
  }
  for (const folder of listing) {
    for (const message of folder.messages) {
      const key = `${decodeUtf7(folder.path)}/${folder.uidValidity}/${message.uid}`;
      const row = stored.get(key);
      stored.delete(key);
      if (!row) found.push(`lost: ${key}`);
      else if (row.sha256 !== message.sha256) found.push(`wrong bytes: ${key}`);
      else if (row.flags !== message.flags) found.push(`wrong flags: ${key}: ${row.flags} / ${message.flags}`);
      else if (row.internaldate !== message.internalDate)
        found.push(`wrong date: ${key}: ${row.internaldate} / ${message.internalDate}`);
    }
  }
  for (const key of stored.keys()) found.push(`invented: ${key}`);
  return found;
}

/** Modified UTF-7 (RFC 3501 5.1.3), the tests' own reading of it. INBOX is case-insensitive. */
export function decodeUtf7(path: string): string {
  if (path.toUpperCase() === 'INBOX') return 'INBOX';
  return path.replace(/&([^-]*)-/g, (_, base64: string) => {
    if (base64 === '') return '&';
    const bytes = Buffer.from(base64.replaceAll(',', '/'), 'base64');
    return bytes.swap16().toString('utf16le');
  });
}

/** All rows of the mail tables as text: equal texts, equal states. Ids and instants of writing are left out. */
export function mailState(installation: Installation): string {
  const messages =
    installation.query(`SELECT f.acntid, f.path, m.uidvalidity, m.uid, m.flags, m.internaldate, m.size, m.vanished_at IS NULL AS live, c.sha256, c.subject, c.from_addresses
    FROM email_messages m JOIN email_folders f USING (emfdid) JOIN email_contents c ON c.id = m.content_id ORDER BY 1, 2, 3, 4, live, m.id`);
  const folders = installation.query(
    `SELECT acntid, path, uidvalidity, message_count, held_count, listed_uid, checkpoint FROM email_folders ORDER BY 1, 2`,
  );
  const quarantine = installation.query(
    'SELECT emfdid, uidvalidity, uid, error FROM email_quarantine ORDER BY 1, 2, 3',
  );
  const orphans = installation.query(
    'SELECT COUNT(*) AS count FROM email_contents WHERE id NOT IN (SELECT content_id FROM email_messages)',
  );
  return [messages, folders, quarantine, orphans]
    .map((rows) => rows.map((row) => JSON.stringify(row)).join('\n'))
    .join('\n\n');
}

/** Every row of the mail tables with its ids, without the instants of passes: equal before and after a pass that had nothing to do. */
export function mailRows(installation: Installation): string[] {
  const rows = [
    installation.query('SELECT * FROM email_messages ORDER BY id'),
    installation.query('SELECT id, sha256, subject FROM email_contents ORDER BY id'),
    installation.query('SELECT * FROM email_quarantine ORDER BY emfdid, uid'),
    installation.query(`SELECT emfdid, path, role, uidvalidity, uidnext, highestmodseq, message_count, unseen_count, held_count, listed_uid,
      checkpoint, missing_count, retired_at FROM email_folders ORDER BY 1`),
    installation.query('SELECT MAX(seq) AS seq FROM email_changes'),
  ];
  return rows.flat().map((row) => JSON.stringify(row));
}

/** What one state of the rows has and the other has not. */
export function rowChanges(before: readonly string[], after: readonly string[]): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...before.filter((row) => !now.has(row)).map((row) => `- ${row}`),
    ...after.filter((row) => !old.has(row)).map((row) => `+ ${row}`),
  ];
}
