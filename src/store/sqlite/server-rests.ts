/** Servers that rest: a row while it lasts. */
import type { ServerRest } from '../schedule.ts';
import type { Connection } from './connection.ts';

interface RestRow {
  server: string;
  failure_count: number;
  retry_at: string;
  marked_at: string;
  last_error: string;
}

export function serverRests(c: Connection): ServerRest[] {
  const sql = 'SELECT server, failure_count, retry_at, marked_at, last_error FROM server_rests ORDER BY server';
  return c.all<RestRow>(sql).map((row) => ({
    server: row.server,
    failureCount: row.failure_count,
    retryAt: row.retry_at,
    markedAt: row.marked_at,
    lastError: row.last_error,
  }));
}

export function recordServerRest(c: Connection, server: string, rest: Omit<ServerRest, 'server'> | null): void {
  c.run('DELETE FROM server_rests WHERE server = ?', server);
  if (!rest) return;
  const sql =
    'INSERT INTO server_rests (server, failure_count, retry_at, marked_at, last_error) VALUES (?, ?, ?, ?, ?)';
  c.run(sql, server, rest.failureCount, rest.retryAt, rest.markedAt, rest.lastError);
}
