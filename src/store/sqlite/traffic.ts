/** Bytes fetched for an account on a local day; only the last day is kept. */
import type { Connection } from './connection.ts';

export function trafficOn(c: Connection, acntid: number, day: string): number {
  return (
    c.get<{ bytes: number }>('SELECT bytes FROM account_traffic WHERE acntid = ? AND day = ?', acntid, day)?.bytes ?? 0
  );
}

export function addTraffic(c: Connection, acntid: number, day: string, bytes: number): void {
  const sql = `INSERT INTO account_traffic (acntid, day, bytes) VALUES (?, ?, ?) ON CONFLICT (acntid) DO UPDATE SET
    bytes = CASE day WHEN excluded.day THEN bytes ELSE 0 END + excluded.bytes, day = excluded.day`;
  c.run(sql, acntid, day, bytes);
}
