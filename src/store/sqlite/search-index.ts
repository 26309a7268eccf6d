/** Writes of the search index. Rows go with their email_texts row, by the trigger of migration 3. */
import type { SearchText } from '../reading.ts';
import type { Connection } from './connection.ts';

export function indexText(
  c: Connection,
  contentId: number,
  given: SearchText & { readonly text: string | null },
): void {
  const sql = `INSERT INTO email_search (rowid, subject, sender, recipients, filenames, body_text, words)
    VALUES (?, ?, ?, ?, ?, ?, ?)`;
  const { subject, sender, recipients, filenames, text, words } = given;
  c.run(sql, contentId, subject, sender, recipients, filenames, text, words);
}

export function rebuildSearch(c: Connection): void {
  c.run("INSERT INTO email_search (email_search) VALUES ('rebuild')");
}
