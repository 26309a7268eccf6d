/**
 * One SQLite connection with its prepared statements. better-sqlite3 is synchronous: a statement blocks its thread, so the
 * connection that writes has a thread of its own (store-thread-main.ts), and the others only read.
 */
import type Database from 'better-sqlite3';
import type { Secrets } from '../secrets.ts';

export type SqlValue = string | number | bigint | Uint8Array | null;

export interface Connection {
  readonly database: Database.Database;
  readonly secrets: Secrets;
  /** What raiseEpoch made this connection's own; null: never raised, writes are not fenced. */
  epoch: number | null;
  /** False: what could fail alone undoes the whole transaction, which runs again with them (savepoint.ts). */
  hasSavepoints: boolean;
  /** Called after each durable step; the crash tests end the process there. */
  readonly step: () => void;
  /** First row. The caller names the row's shape: the columns it selects. */
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined;
  all<Row>(sql: string, ...values: SqlValue[]): Row[];
  /** One by one, for answers that need not be held whole; nothing else runs on the connection meanwhile. */
  each<Row>(sql: string, ...values: SqlValue[]): IterableIterator<Row>;
  /** Returns how many rows changed. */
  run(sql: string, ...values: SqlValue[]): number;
  /** Returns the new row's id. Throws where a trigger left the row out: SQLite would give the id of another. */
  insert(sql: string, ...values: SqlValue[]): number;
}

export function createConnection(
  database: Database.Database,
  secrets: Secrets,
  step: () => void = () => undefined,
): Connection {
  const statements = new Map<string, Database.Statement<SqlValue[]>>();
  const prepare = (sql: string): Database.Statement<SqlValue[]> => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = database.prepare<SqlValue[]>(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    database,
    secrets,
    epoch: null,
    hasSavepoints: false,
    step,
    get: <Row>(sql: string, ...values: SqlValue[]) => prepare(sql).get(...values) as Row | undefined,
    all: <Row>(sql: string, ...values: SqlValue[]) => prepare(sql).all(...values) as Row[],
    each: <Row>(sql: string, ...values: SqlValue[]) => prepare(sql).iterate(...values) as IterableIterator<Row>,
    run: (sql, ...values) => prepare(sql).run(...values).changes,
    insert(sql, ...values) {
      const { changes, lastInsertRowid } = prepare(sql).run(...values);
      if (changes === 0) throw leftOut();
      return Number(lastInsertRowid);
    },
  };
}

/** RAISE(IGNORE): as if it had raised, so that whoever asks for the row blames it as any other. */
const leftOut = (): Error =>
  Object.assign(new Error('a trigger left the new row out'), { code: 'SQLITE_CONSTRAINT_TRIGGER' });
