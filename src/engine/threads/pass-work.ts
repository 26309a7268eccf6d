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

const createRoom = ({ heldKib, thread, answerBytesMax: bytesMax }: ThreadStart): AnswerRoom =>
  createAnswerRoom({ heldKib, slot: Number(thread.slice(1)), bytesMax });

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
