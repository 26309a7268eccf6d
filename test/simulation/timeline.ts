/** Simulated time: what happens when. A binary heap, because a month has millions of events. */
export interface Timeline {
  readonly nowMs: number;
  at(ms: number, happen: () => void | Promise<void>): void;
  /** When the next event is; Infinity: never. */
  nextMs(): number;
  /** Moves on to `ms`, running every event on the way. */
  advanceTo(ms: number): Promise<void>;
}

interface Event {
  readonly ms: number;
  readonly order: number;
  readonly happen: () => void | Promise<void>;
}

const isBefore = (a: Event, b: Event): boolean => a.ms < b.ms || (a.ms === b.ms && a.order < b.order);

export function createTimeline(): Timeline {
  const heap: Event[] = [];
  let nowMs = 0;
  let order = 0;
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b] as Event, heap[a] as Event];
  };
  const rise = (index: number): void => {
    for (let at = index, up = (at - 1) >> 1; at > 0 && isBefore(heap[at] as Event, heap[up] as Event); ) {
      swap(at, up);
      at = up;
      up = (at - 1) >> 1;
    }
  };
  const sink = (): void => {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && isBefore(heap[child] as Event, heap[least] as Event)) least = child;
      if (least === at) return;
      swap(at, least);
      at = least;
    }
  };
  const take = (): Event => {
    const first = heap[0] as Event;
    const last = heap.pop() as Event;
    if (heap.length > 0) {
      heap[0] = last;
      sink();
    }
    return first;
  };
  return {
    get nowMs() {
      return nowMs;
    },
    at(ms, happen) {
      heap.push({ ms: Math.max(ms, nowMs), order: order++, happen });
      rise(heap.length - 1);
    },
    nextMs: () => heap[0]?.ms ?? Number.POSITIVE_INFINITY,
    async advanceTo(ms) {
      while ((heap[0]?.ms ?? Number.POSITIVE_INFINITY) <= ms) {
        const event = take();
        nowMs = event.ms;
        await event.happen();
      }
      nowMs = ms;
    },
  };
}
