/** What a worker thread does with a `send` task: the due mail of one account, over connections that all its tasks share. */
import { systemClock } from '../../base/clock.ts';
import { sendDue } from '../../outbox/send-due.ts';
import type { SendReport, SendTask } from '../../outbox/task.ts';
import { openSmtp } from '../../smtp/open-session.ts';
import { createSmtpPool } from '../../smtp/pool.ts';
import type { ThreadHost, Work } from './thread-host.ts';

export function createSendWork({ store, log, credentialsOf, start }: ThreadHost): Work<SendTask, SendReport> {
  const smtpPool = createSmtpPool();
  const ports = { store, log, credentialsOf, openSmtp, smtpPool, settings: start.outbox, clock: systemClock };
  return {
    // A signal ends what has not begun to leave; a body under way is seen to its verdict.
    run: (task, signal) => sendDue({ ...ports, signal }, task),
    release: () => Promise.resolve(),
    close: () => smtpPool.close(),
  };
}
