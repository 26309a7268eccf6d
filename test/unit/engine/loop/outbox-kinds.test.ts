/** The outbox as kinds of work, where its threads or its end are the trouble. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EngineError, type ErrorCode, toErrorRecord } from '../../../../src/base/errors.ts';
import type { Log } from '../../../../src/base/log.ts';
import { createOutboxKinds } from '../../../../src/engine/loop/outbox-kinds.ts';
import type { TaskOutcome } from '../../../../src/engine/threads/threads.ts';
import { inMemory, openJobFile } from '../../../../src/queue/sqlite/job-file.ts';
import { createSqliteQueue } from '../../../../src/queue/sqlite/sqlite-queue.ts';
import type { OutboxDue } from '../../../../src/store/outbox-entry.ts';

const nowMs = Date.parse('2026-11-27T12:00:00.000Z');
const account = { acntid: 7, host: 'smtp.example.com', dueAt: '2026-11-27T12:00:00.000Z' } as const;
const task = {
  kind: 'outbox',
  acntid: 7,
  server: '',
  class: 'outbox',
  dueMs: 0,
  attempts: 0,
  fruitlessCount: 0,
} as const;
const start = { connections: 1, sliceMs: null } as never;

describe('the outbox as kinds of work', () => {
  let lines: string[];
  let due: OutboxDue;
  const note = (text: string, place?: { readonly acntid?: number }): void => {
    lines.push(`${text} [${place?.acntid}]`);
  };
  const log = { error: note, warn: note, info: note, debug: note } as unknown as Log;
  const createKinds = (outcome: unknown) => {
    const queue = createSqliteQueue(openJobFile(inMemory));
    const threads = { run: async () => outcome as TaskOutcome<never> };
    const store = { outboxDue: async () => due };
    const usual = { isEnabled: () => true, connectionsPerAccount: () => 1, onDue: () => undefined };
    const kinds = createOutboxKinds({ ...usual, store, queue, threads, clock: () => new Date(nowMs), log });
    return { kinds, queue };
  };
  beforeEach(() => {
    lines = [];
    due = { send: [account], file: [], nextAt: null };
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it.each([
    ['sqlite_missing', 1],
    ['store_busy', 1],
    ['aborted', 0],
  ] as const)('a task that its thread could not begin is told: %s', async (code: ErrorCode, count) => {
    const { kinds } = createKinds({ error: toErrorRecord(new EngineError(code, 'Cannot find module')) });
    await kinds.send.run(task, start);
    expect(lines).toEqual(Array(count).fill(`outbox: ${code}: Cannot find module [7]`));
  });

  it('what the thread has told itself is not told again', async () => {
    const counts = { deliveredCount: 0, deferredCount: 0, rejectedCount: 0, unknownCount: 0, recoveredCount: 0 };
    const error = toErrorRecord(new EngineError('connection_lost', ''));
    const { kinds } = createKinds({ report: { acntid: 7, ...counts, error } });
    await kinds.send.run(task, start);
    expect(lines).toEqual([]);
  });

  it('a task that ends after the stop does not have the closed queue written', async () => {
    const { kinds, queue } = createKinds({ error: toErrorRecord(new EngineError('aborted', '')) });
    due = { send: [account], file: [], nextAt: '2026-11-27T12:00:01.000Z' as never };
    kinds.stop();
    await kinds.send.run(task, start);
    await queue.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toEqual([]);
  });
});
