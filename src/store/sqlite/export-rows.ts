/** Live messages for an export, page by page in the order of their ids; what arrives meanwhile comes last. */
import type { ExportFilter, ExportRow } from '../reading.ts';
import type { Address } from '../store.ts';
import type { Connection, SqlValue } from './connection.ts';

const liveOf = (filter: Pick<ExportFilter, 'acntid' | 'emfdid'>): [string, SqlValue[]] =>
  filter.emfdid === undefined
    ? ['m.acntid = ? AND m.vanished_at IS NULL', [filter.acntid]]
    : ['m.acntid = ? AND m.emfdid = ? AND m.vanished_at IS NULL', [filter.acntid, filter.emfdid]];

export function exportRows(c: Connection, filter: ExportFilter): ExportRow[] {
  const [condition, values] = liveOf(filter);
  const sql = `SELECT m.id, m.emfdid, f.path, f.delimiter, m.flags, m.internaldate AS internalDate, t.from_addresses
    FROM email_messages AS m JOIN email_folders AS f ON f.emfdid = m.emfdid
    JOIN email_contents AS t ON t.id = m.content_id WHERE ${condition} AND m.id > ? ORDER BY m.id LIMIT ?`;
  const rows = c.all<Omit<ExportRow, 'from'> & { from_addresses: string }>(
    sql,
    ...values,
    filter.afterId,
    filter.limit,
  );
  return rows.map(({ from_addresses, ...row }) => ({ ...row, from: JSON.parse(from_addresses) as Address[] }));
}

export function exportCount(c: Connection, filter: Pick<ExportFilter, 'acntid' | 'emfdid'>): number {
  const [condition, values] = liveOf(filter);
  return (
    c.get<{ count: number }>(`SELECT COUNT(*) AS count FROM email_messages AS m WHERE ${condition}`, ...values)
      ?.count ?? 0
  );
}
