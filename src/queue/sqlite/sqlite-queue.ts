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
    nextDueMs: async (skipServers) => groups.firstMs(skipServers),
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
    first: database.prepare<[string, string, string, number], TaskRow>(`SELECT ${columns} FROM tasks
      WHERE kind = ? AND class = ? AND server = ? AND running_since_ms IS NULL ORDER BY due_ms LIMIT ?`),
    start: database.prepare('UPDATE tasks SET running_since_ms = ? WHERE acntid = ? AND kind = ?'),
    release: database.prepare('UPDATE tasks SET running_since_ms = NULL WHERE acntid = ? AND kind = ?'),
    remove: database.prepare('DELETE FROM tasks WHERE acntid = ? AND kind = ?'),
    clear: database.prepare('DELETE FROM tasks WHERE kind = ? AND running_since_ms IS NULL'),
    failing: database.prepare<[string], { acntid: number }>(
      'SELECT DISTINCT acntid FROM tasks WHERE server = ? AND attempts > 0 AND running_since_ms IS NULL ORDER BY acntid',
    ),
    noteLate: database.prepare(`INSERT INTO lateness (hour, class, bucket, count) VALUES (?, ?, ?, 1)
      ON CONFLICT (hour, class, bucket) DO UPDATE SET count = count + 1`),
    forgetLate: database.prepare('DELETE FROM lateness WHERE hour <= ? OR hour > ?'),
    lateness: database.prepare<[number], BucketCount>(
      'SELECT class, bucket, SUM(count) AS count FROM lateness WHERE hour >= ? GROUP BY class, bucket',
    ),
  };
}

/** One task more than is handed out is looked at: it tells when the group is to be asked again. */
function dueTasks({ first }: Statements, groups: TaskGroups, ask: DueAsk): QueuedTask[] {
  const found: QueuedTask[] = [];
  for (const group of groups.dueBy(ask.nowMs, ask.kinds, ask.skipServers)) {
    if (found.length >= ask.countMax) break;
    const rows = first.all(group.kind, group.class, group.server, ask.countPerServer + 1);
    groups.learn(group, rows[0]?.due_ms ?? null);
    const due = rows.filter((row) => row.due_ms <= ask.nowMs).slice(0, ask.countPerServer);
    found.push(...due.map(toTask));
  }
  return found.slice(0, ask.countMax);
}

function startTasks({ start, noteLate, forgetLate }: Statements, tasks: readonly StartedTask[], atMs: number): void {
  const hour = Math.floor(atMs / hourMs);
  for (const task of tasks) {
    start.run(atMs, task.acntid, task.kind);
    noteLate.run(hour, task.class, bucketOf(task.lateMs));
  }
  forgetLate.run(hour - latenessHours, hour);
}

function readGroups(database: Database.Database): TaskGroups {
  const groups = createTaskGroups();
  const sql = `SELECT kind, class, server, MIN(due_ms) AS first FROM tasks WHERE running_since_ms IS NULL
    GROUP BY kind, class, server`;
  for (const { first, ...group } of database.prepare<[], Omit<TaskGroup, 'notBeforeMs'> & { first: number }>(sql).all())
    groups.note(group, first);
  return groups;
}
