/**
 * Where waiting tasks are: for each kind, class and server a time before which nothing there is due. So a tick asks the
 * database only about groups that have something, be there 100,000 tasks waiting. The time may be too early, never too late.
 */
export interface TaskGroup {
  readonly kind: string;
  readonly class: string;
  readonly server: string;
  /** No waiting task of the group is due before. */
  notBeforeMs: number;
}

export interface TaskGroups {
  /** A task with this time waits here now. */
  note(group: Omit<TaskGroup, 'notBeforeMs'>, dueMs: number): void;
  /** Groups in which something may be due, the longest overdue first. */
  dueBy(nowMs: number, kinds: readonly string[], skipServers: ReadonlySet<string>): TaskGroup[];
  /** What the database said of the group's first task; null: it is empty. */
  learn(group: TaskGroup, firstDueMs: number | null): void;
  firstMs(skipServers: ReadonlySet<string>, kinds?: readonly string[]): number | null;
}

export function createTaskGroups(): TaskGroups {
  const groups = new Map<string, TaskGroup>();
  const keyOf = (group: Omit<TaskGroup, 'notBeforeMs'>): string => `${group.kind} ${group.class} ${group.server}`;
  return {
    note(group, dueMs) {
      const known = groups.get(keyOf(group));
      if (!known) groups.set(keyOf(group), { ...group, notBeforeMs: dueMs });
      else if (dueMs < known.notBeforeMs) known.notBeforeMs = dueMs;
    },
    dueBy(nowMs, kinds, skipServers) {
      const due: TaskGroup[] = [];
      for (const group of groups.values())
        if (group.notBeforeMs <= nowMs && kinds.includes(group.kind) && !skipServers.has(group.server)) due.push(group);
      return due.sort((a, b) => a.notBeforeMs - b.notBeforeMs);
    },
    learn(group, firstDueMs) {
      if (firstDueMs === null) groups.delete(keyOf(group));
      else group.notBeforeMs = firstDueMs;
    },
    firstMs(skipServers, kinds) {
      let first: number | null = null;
      for (const { kind, notBeforeMs, server } of groups.values()) {
        const isEarlier = first === null || notBeforeMs < first;
        if (isEarlier && (kinds?.includes(kind) ?? true) && !skipServers.has(server)) first = notBeforeMs;
      }
      return first;
    },
  };
}
