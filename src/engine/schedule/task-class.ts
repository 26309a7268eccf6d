/** The classes of tasks, as data: who may wait for whom. `pick` obeys it, `explain` and `status` print it. */

export type TaskClass = 'outbox' | 'filing' | 'live' | 'recent' | 'full' | 'daily' | 'first' | 'reading';

export const isTaskClass = (text: string): text is TaskClass => Object.hasOwn(taskClasses, text);

/** Tasks of different pools never wait for each other: they have threads and connections of their own. */
export type Pool = 'send' | 'file' | 'sync' | 'read';

/** Two tasks of one account and pool never run at a time. */
export type TaskKind = 'outbox' | 'file' | 'sync' | 'bulk' | 'read';

export interface TaskClassTraits {
  readonly pool: Pool;
  /** Where it waits in the queue. `bulk` apart from `sync`: what is urgent must not stand behind its account's own bulk. */
  readonly kind: TaskKind;
  /** It lets a task of another class go first that came due up to this much later. Negative: it goes first itself. */
  readonly patienceMs: number;
  /** Patient tasks leave a quarter of all slots and of each host's connections to the others. */
  readonly isPatient: boolean;
  /** It ends after this long and goes to the back of the queue, finished or not; null: it runs to its end. */
  readonly sliceMs: number | null;
  readonly text: string;
}

const second = 1000;

export const taskClasses: Readonly<Record<TaskClass, TaskClassTraits>> = {
  outbox: {
    pool: 'send',
    kind: 'outbox',
    patienceMs: 0,
    isPatient: false,
    sliceMs: null,
    text: 'mail waiting to be sent',
  },
  filing: {
    pool: 'file',
    kind: 'file',
    patienceMs: 0,
    isPatient: false,
    sliceMs: null,
    text: 'Sent copies and what else follows sending',
  },
  live: {
    pool: 'sync',
    kind: 'sync',
    patienceMs: -30 * second,
    isPatient: false,
    sliceMs: null,
    text: 'folders of a user who is logged in',
  },
  recent: {
    pool: 'sync',
    kind: 'sync',
    patienceMs: 0,
    isPatient: false,
    sliceMs: null,
    text: 'recent sync, nobody logged in',
  },
  full: {
    pool: 'sync',
    kind: 'sync',
    patienceMs: 60 * second,
    isPatient: false,
    sliceMs: null,
    text: 'full sync, nobody logged in',
  },
  // A minute: what came due in the account meanwhile waits no longer than that; the reconnection costs a hundredth of it.
  daily: {
    pool: 'sync',
    kind: 'bulk',
    patienceMs: 300 * second,
    isPatient: true,
    sliceMs: 60 * second,
    text: 'low-priority folders, once a day',
  },
  first: {
    pool: 'sync',
    kind: 'bulk',
    patienceMs: 600 * second,
    isPatient: true,
    sliceMs: 60 * second,
    text: 'first sync of a folder',
  },
  reading: {
    pool: 'read',
    kind: 'read',
    patienceMs: 0,
    isPatient: false,
    sliceMs: null,
    text: 'texts and attachments of stored messages',
  },
};
