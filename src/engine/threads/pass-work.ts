/** What a worker thread does with a `pass` task: one trip over one account, and the connections it keeps in between. */
import { systemClock } from '../../base/clock.ts';
import { type AnswerRoom, createAnswerRoom } from '../../imap/answer-room.ts';
import { openSession } from '../../imap/open-session.ts';
import { createKeptSessions } from '../../sync/kept-sessions.ts';
import type { PassReport, PassTask, Ports, Progress } from '../../sync/pass.ts';
import { syncAccount } from '../../sync/sync-account.ts';
import { createLinks } from './links.ts';
import type { ThreadStart } from './protocol.ts';
import type { ThreadHost, Work } from './thread-host.ts';

export function createPassWork(host: ThreadHost): Work<PassTask, PassReport> {
  const { store, log, credentialsOf, start, tell } = host;
  const kept = createKeptSessions({
    onStir: (acntid) => tell({ kind: 'stirred', acntid }),
    onLost: (acntid) => tell({ kind: 'lost', acntid }),
  });
  const shared: Omit<Ports, 'signal'> = {
    store,
    credentialsOf,
    openSession,
    kept,
    linkTo: createLinks(),
    room: createRoom(start),
    limits: start.limits,
    log,
    clock: systemClock,
    onProgress: createProgress(host),
  };
  return {
    run: (task, signal) => syncAccount({ ...shared, signal }, task),
    release: (acntid) => kept.release(acntid),
    close: () => kept.close(),
  };
}

/**
 * Of the memory, for answers whose end has not come, where half of it is in use. What was given up is freed late: such answers
 * were seen to take two to three times as much.
 */
const answersPart = 1 / 8;
const shortPart = 1 / 2;

const createRoom = ({ heldKib, thread, memoryBytesMax }: ThreadStart): AnswerRoom =>
  createAnswerRoom({
    heldKib,
    slot: Number(thread.slice(1)),
    bytesMax: memoryBytesMax * answersPart,
    isMemoryShort: () => process.memoryUsage.rss() > memoryBytesMax * shortPart,
  });

function createProgress({ start, tell }: ThreadHost): (progress: Progress) => void {
  const lastMs = new Map<number, number>();
  return (progress) => {
    const nowMs = performance.now();
    const isLast = progress.pendingCount === 0;
    if (!isLast && nowMs - (lastMs.get(progress.acntid) ?? Number.NEGATIVE_INFINITY) < start.progressMs) return;
    if (isLast) lastMs.delete(progress.acntid);
    else lastMs.set(progress.acntid, nowMs);
    tell({ kind: 'progress', progress });
  };
}
