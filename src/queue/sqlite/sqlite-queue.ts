/** The queue in SQLite. The caller's thread is its only writer; each verb is one transaction. */
import type Database from 'better-sqlite3';
import { type BucketCount, bucketOf, latenessOf } from '../lateness.ts';
import type { DueAsk, Queue, QueuedTask, StartedTask } from '../queue.ts';
import { closeJobFile } from './job-file.ts';
import { createTaskGroups, type TaskGroup, type TaskGroups } from './task-groups.ts';
import { columns, readCounts, readTasks, type TaskRow, toTask } from './task-rows.ts';

const hourMs = 3_600_000;
/** `status` shows a day. */
const latenessHours = 24;

export function createSqliteQueue(database: Database.Database): Queue {
  const statements = prepareStatements(database);
  const groups = readGroups(database);
  const within = <T>(work: () => T): T => {
    statements.begin.run();
    try {
      const result = work();
      statements.commit.run();
      return result;
    } catch (error) {
      if (database.inTransaction) statements.rollback.run();
      throw error;
    }
  };
  const put = (task: QueuedTask): void => {
    const { kind, acntid, server, class: name, dueMs, attempts, fruitlessCount } = task;
    statements.put.run(kind, acntid, server, name, Math.floor(dueMs), attempts, fruitlessCount);
    groups.note(task, dueMs);
  };
  return {
    put: async (tasks) => within(() => tasks.forEach(put)),
    due: async (ask) => dueTasks(statements, groups, ask),
    nextDueMs: async (skipServers, kinds) => groups.firstMs(skipServers, kinds),
    start: async (tasks, atMs) => within(() => startTasks(statements, tasks, atMs)),
    end: async (key, next) =>
      within(() => {
        const isNext = next.some(({ kind, acntid }) => kind === key.kind && acntid === key.acntid);
        if (isNext) statements.release.run(key.acntid, key.kind);
        else statements.remove.run(key.acntid, key.kind);
        next.forEach(put);
      }),
    remove: async (keys) => within(() => keys.forEach(({ acntid, kind }) => void statements.remove.run(acntid, kind))),
    clear: async (kind) => void statements.clear.run(kind),
    tasksOf: async (acntid) => readTasks(database, 'WHERE acntid = ? ORDER BY kind', acntid),
    running: async () => readTasks(database, 'WHERE running_since_ms IS NOT NULL ORDER BY running_since_ms'),
    failing: async (server) => statements.failing.all(server).map(({ acntid }) => acntid),
    counts: async (nowMs) => readCounts(database, nowMs),
    lateness: async (sinceMs) => latenessOf(statements.lateness.all(Math.floor(sinceMs / hourMs))),
    close: async () => closeJobFile(database),
  };
}

type Statements = ReturnType<typeof prepareStatements>;

function prepareStatements(database: Database.Database) {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    put: database.prepare(`INSERT INTO tasks (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (acntid, kind) DO UPDATE SET server = excluded.server, class = excluded.class, due_ms = excluded.due_ms,
      attempts = excluded.attempts, fruitless_count = excluded.fruitless_count`),
    due: database.prepare<[string, string, string, number, number], TaskRow>(`SELECT ${columns} FROM tasks
      WHERE kind = ? AND class = ? AND server = ? AND running_since_ms IS NULL AND due_ms <= ? ORDER BY due_ms LIMIT ?`),
    first: database.prepare<
      [string, string, string],
      { due_ms: number | null }
    >(`SELECT MIN(due_ms) AS due_ms FROM tasks
      WHERE kind = ? AND class = ? AND server = ? AND running_since_ms IS NULL`),
    start: database.prepare('UPDATE tasks SET running_since_ms = ? WHERE acntid = ? AND kind = ?'),
    release: database.prepare('UPDATE tasks SET running_since_ms = NULL WHERE acntid = ? AND kind = ?'),
    remove: database.prepare('DELETE FROM tasks WHERE acntid = ? AND kind = ?'),
    clear: database.prepare('DELETE FROM tasks WHERE kind = ? AND running_since_ms IS NULL'),
    failing: database.prepare<[string], { acntid: number }>(
      'SELECT DISTINCT acntid FROM tasks WHERE server = ? AND attempts > 0 AND running_since_ms IS NULL ORDER BY acntid',
    ),
    noteLate: database.prepare(`INSERT INTO lateness (hour, class, bucket, count) VALUES (?, ?, ?, 1)
      ON CONFLICT (hour, class, bucket) DO UPDATE SET count = count + 1`),
    isNoted: database.prepare<[number], unknown>('SELECT 1 FROM lateness WHERE hour = ? LIMIT 1'),
    forgetLate: database.prepare('DELETE FROM lateness WHERE hour <= ? OR hour > ?'),
    lateness: database.prepare<[number], BucketCount>(
      'SELECT class, bucket, SUM(count) AS count FROM lateness WHERE hour >= ? GROUP BY class, bucket',
    ),
  };
}

/** A group in which nothing is due after all tells when it is to be asked again. */
function dueTasks({ due, first }: Statements, groups: TaskGroups, ask: DueAsk): QueuedTask[] {
  const found: QueuedTask[] = [];
  for (const group of groups.dueBy(ask.nowMs, ask.kinds, ask.skipServers)) {
    const count = Math.min(ask.countPerServer, ask.countMax - found.length);
    if (count <= 0) break;
    const rows = due.all(group.kind, group.class, group.server, ask.nowMs, count);
    found.push(...rows.map(toTask));
    if (rows.length === 0) groups.learn(group, first.get(group.kind, group.class, group.server)?.due_ms ?? null);
  }
  return found;
}

/** The first start of an hour forgets what is older than a day, and what a clock that was ahead has left. */
function startTasks(
  { start, noteLate, isNoted, forgetLate }: Statements,
  tasks: readonly StartedTask[],
  atMs: number,
): void {
  const hour = Math.floor(atMs / hourMs);
  if (!isNoted.get(hour)) forgetLate.run(hour - latenessHours, hour);
  for (const task of tasks) {
    start.run(atMs, task.acntid, task.kind);
    noteLate.run(hour, task.class, bucketOf(task.lateMs));
  }
}

function readGroups(database: Database.Database): TaskGroups {
  const groups = createTaskGroups();
  const sql = `SELECT kind, class, server, MIN(due_ms) AS first FROM tasks WHERE running_since_ms IS NULL
    GROUP BY kind, class, server`;
  for (const { first, ...group } of database.prepare<[], Omit<TaskGroup, 'notBeforeMs'> & { first: number }>(sql).all())
    groups.note(group, first);
  return groups;
}
