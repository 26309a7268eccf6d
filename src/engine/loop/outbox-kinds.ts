/**
 * The outbox as two kinds of work: `outbox` tasks send, `file` tasks look after what was sent. The store says which accounts have
 * something to do now and when there is the next; it is asked when somebody has committed, at that time, and after each task.
 */
import { type Clock, type Instant, toInstant, toMs } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Queue, QueuedTask } from '../../queue/queue.ts';
import type { DueAccount, OutboxDue } from '../../store/outbox-entry.ts';
import type { Store } from '../../store/store.ts';
import { type Side, sides } from '../outbox-sides.ts';
import type { Threads } from '../threads/threads.ts';
import type { KindOfWork } from './dispatcher.ts';
import { idleWaitMs, sleepMs } from './outbox-wait.ts';

export interface OutboxKindsOptions {
  readonly store: Pick<Store, 'outboxDue'>;
  readonly queue: Queue;
  readonly threads: Pick<Threads, 'run'>;
  readonly isEnabled: () => boolean;
  readonly connectionsPerAccount: () => number;
  /** The queue has something new. */
  readonly onDue: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OutboxKinds {
  readonly send: KindOfWork;
  readonly file: KindOfWork;
  /** Somebody may have put something in. */
  look(): Promise<void>;
  stop(): void;
}

/** Accounts asked for at a time: more than can be at work. */
const accountsMax = 500;

const kindOf = { send: 'outbox', file: 'file' } as const;
const classOf = { send: 'outbox', file: 'filing' } as const;

export function createOutboxKinds(options: OutboxKindsOptions): OutboxKinds {
  const { store, queue, threads, clock, log } = options;
  /** `send 53` → tasks in a row that found nothing to do, and not before when the next may be. */
  const idle = new Map<string, { count: number; untilMs: number }>();
  const running = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const nowMs = (): number => clock().getTime();
  const nothing: OutboxDue = { send: [], file: [], nextAt: null };
  const ask = async (): Promise<OutboxDue> =>
    options.isEnabled() ? store.outboxDue(toInstant(clock()), accountsMax) : nothing;

  const toTask = (side: Side, { acntid, host, dueAt }: DueAccount): QueuedTask => ({
    kind: kindOf[side],
    acntid,
    server: host === null ? '' : `${host}:${side}`,
    class: classOf[side],
    dueMs: Math.max(toMs(dueAt) ?? nowMs(), idle.get(`${side} ${acntid}`)?.untilMs ?? 0),
    attempts: 0,
    fruitlessCount: 0,
  });
  const look = async (): Promise<void> => {
    const due = await ask();
    const waiting = (side: Side): QueuedTask[] =>
      due[side].filter(({ acntid }) => !running.has(`${side} ${acntid}`)).map((account) => toTask(side, account));
    const tasks = [...waiting('send'), ...waiting('file')];
    await queue.put(tasks);
    wakeAt(due.nextAt);
    if (tasks.length > 0) options.onDue();
  };
  /** Tasks end, and say when there is more, also after the stop: the queue is about to be closed then. */
  const wakeAt = (nextAt: Instant | null): void => {
    clearTimeout(timer);
    if (nextAt === null || isStopped) return;
    timer = setTimeout(
      () => {
        look().catch((error: unknown) => {
          if (!isStopped) log.error(`outbox: ${String(error)}`);
        });
      },
      sleepMs(nextAt, nowMs()),
    ).unref();
  };
  /** A task that found nothing although the store named it must not become a loop. */
  const noteEnd = (side: Side, acntid: number, hasDone: boolean): void => {
    const count = hasDone ? 0 : (idle.get(`${side} ${acntid}`)?.count ?? 0) + 1;
    if (count === 0) idle.delete(`${side} ${acntid}`);
    else idle.set(`${side} ${acntid}`, { count, untilMs: nowMs() + idleWaitMs(count) });
  };
  const kind = (side: Side, connectionCountMax: () => number): KindOfWork => ({
    connectionCountMax,
    begin: ({ acntid }) => void running.add(`${side} ${acntid}`),
    async run({ acntid }, { connections }) {
      try {
        const { error, isTold, doneCount } = await sides[side](threads, acntid, connections);
        if (error && !isTold && error.code !== 'aborted')
          log.error(`outbox: ${error.code}: ${error.detail}`, { acntid });
        noteEnd(side, acntid, doneCount > 0);
      } finally {
        running.delete(`${side} ${acntid}`);
      }
      const due = await ask();
      wakeAt(due.nextAt);
      return due[side].filter((account) => account.acntid === acntid).map((account) => toTask(side, account));
    },
  });
  return {
    send: kind('send', options.connectionsPerAccount),
    file: kind('file', () => 1),
    look,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
