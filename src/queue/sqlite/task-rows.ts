/** Rows of the job database as tasks, for the queue itself and for those who only look. */
import type Database from 'better-sqlite3';
import type { ClassCount, QueuedTask, TaskState } from '../queue.ts';

export const columns = 'kind, acntid, server, class, due_ms, attempts, fruitless_count';

export interface TaskRow {
  kind: string;
  acntid: number;
  server: string;
  class: string;
  due_ms: number;
  attempts: number;
  fruitless_count: number;
}

export const toTask = (row: TaskRow): QueuedTask => ({
  kind: row.kind,
  acntid: row.acntid,
  server: row.server,
  class: row.class,
  dueMs: row.due_ms,
  attempts: row.attempts,
  fruitlessCount: row.fruitless_count,
});

/** `clause`: of ours, with its values. */
export function readTasks(database: Database.Database, clause: string, ...values: number[]): TaskState[] {
  const sql = `SELECT ${columns}, running_since_ms FROM tasks ${clause}`;
  const rows = database.prepare<number[], TaskRow & { running_since_ms: number | null }>(sql).all(...values);
  return rows.map((row) => ({ ...toTask(row), runningSinceMs: row.running_since_ms }));
}

export function readCounts(database: Database.Database, nowMs: number): ClassCount[] {
  const sql = `SELECT kind, class, SUM(running_since_ms IS NULL) AS waiting,
    SUM(running_since_ms IS NULL AND due_ms <= ?) AS due, SUM(running_since_ms IS NOT NULL) AS running
    FROM tasks GROUP BY kind, class ORDER BY kind, class`;
  return database.prepare<[number], ClassCount>(sql).all(nowMs);
}
