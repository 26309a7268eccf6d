/** What a worker thread does with a `file` task: Sent copies, unknown outcomes and \Answered of one account, over IMAP. */
import { systemClock } from '../../base/clock.ts';
import { openFiling } from '../../imap/filing.ts';
import { fileDue } from '../../outbox/file-due.ts';
import type { FileReport, FileTask } from '../../outbox/task.ts';
import { createLinks } from './links.ts';
import type { ThreadHost, Work } from './thread-host.ts';

export function createFileWork({ store, log, credentialsOf, start }: ThreadHost): Work<FileTask, FileReport> {
  const linkTo = createLinks();
  const ports = { store, log, credentialsOf, openFiling, linkTo, settings: start.outbox, clock: systemClock };
  return {
    run: (task, signal) => fileDue({ ...ports, signal }, task),
    release: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
