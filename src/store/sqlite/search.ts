/** Search on a reading connection: the index says which contents, their live messages are looked up, the newest are shown. */
import { joinCharacters } from '../../base/search-words.ts';
import type { SearchHit, SearchQuery } from '../search.ts';
import type { Address } from '../store.ts';
import type { Connection, SqlValue } from './connection.ts';
import { toMatch } from './search-query.ts';

/** Of a word that is in every mail, the contents stored last: what is older is not looked at. */
const matchesMax = 100_000;
const snippetWords = 16;

interface HitRow extends Omit<SearchHit, 'from' | 'snippet'> {
  readonly contentId: number;
  readonly from_addresses: string;
}

export function search(c: Connection, query: SearchQuery): SearchHit[] {
  const match = toMatch(query.words);
  if (match === null) return [];
  const [conditions, values] = conditionsOf(query);
  const sql = `WITH hit AS (SELECT rowid AS content_id FROM email_search WHERE email_search MATCH ? ORDER BY rowid DESC LIMIT ${matchesMax})
    SELECT MIN(m.id) AS id, m.acntid, m.emfdid, f.path, m.conversation_id AS conversationId, m.internaldate AS internalDate,
    t.id AS contentId, t.subject, t.from_addresses FROM hit CROSS JOIN email_messages AS m ON m.content_id = hit.content_id
    JOIN email_contents AS t ON t.id = m.content_id LEFT JOIN email_folders AS f ON f.emfdid = m.emfdid
    WHERE ${conditions.join(' AND ')} GROUP BY t.id, m.acntid
    ORDER BY COALESCE(m.internaldate, t.sent_at) DESC, m.id DESC LIMIT ?`;
  const rows = c.all<HitRow>(sql, match, ...values, query.limit);
  return rows.map(({ contentId, from_addresses, ...row }) => ({
    ...row,
    from: JSON.parse(from_addresses) as Address[],
    snippet: snippetOf(c, match, contentId),
  }));
}

/** Unary plus keeps SQLite from reading an account's whole index where the content's is far shorter. */
function conditionsOf({ acntid, path, since, from }: SearchQuery): [string[], SqlValue[]] {
  const wishes: [string, SqlValue | undefined][] = [
    ['+m.acntid = ?', acntid],
    ['f.path = ?', path === undefined || !/^inbox$/i.test(path) ? path : 'INBOX'],
    ['COALESCE(m.internaldate, t.sent_at) >= ?', since],
  ];
  const given = wishes.filter((wish): wish is [string, SqlValue] => wish[1] !== undefined);
  const [sender, senderValues] = from === undefined ? [[], []] : senderCondition(from);
  const conditions = ['m.vanished_at IS NULL', ...given.map(([condition]) => condition), ...sender];
  return [conditions, [...given.map(([, value]) => value), ...senderValues]];
}

/** By words, so that accents and case do not count, or as a piece of the address. */
function senderCondition(from: string): [string[], SqlValue[]] {
  const piece = 'instr(lower(t.from_addresses), lower(?)) > 0';
  const match = toMatch(from, 'sender');
  if (match === null) return [[piece], [from]];
  const words = 't.id IN (SELECT rowid FROM email_search WHERE email_search MATCH ?)';
  return [[`(${words} OR ${piece})`], [match, from]];
}

/** CAST: numbers are bound as REAL, and the index drops a condition on rowid that is no integer: it then shows another mail. */
function snippetOf(c: Connection, match: string, contentId: number): string {
  const sql = `SELECT snippet(email_search, -1, '«', '»', '…', ${snippetWords}) AS snippet FROM email_search
    WHERE email_search MATCH ? AND rowid = CAST(? AS INTEGER)`;
  const snippet = c.get<{ snippet: string | null }>(sql, match, contentId)?.snippet ?? '';
  return joinCharacters(snippet).replace(/\s+/g, ' ').trim();
}
