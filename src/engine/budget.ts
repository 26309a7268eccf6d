/**
 * Connections granted to passes: so many per account, so many per host, over all threads. Granting is the main thread's;
 * bounds in the threads alone would multiply by their number.
 */
export interface Budget {
  /** Waits until the host has room; resolves with how many connections the pass may open, at least one. */
  take(host: string): Promise<Grant>;
}

export interface Grant {
  readonly connections: number;
  release(): void;
}

interface HostState {
  used: number;
  readonly waiting: (() => void)[];
}

export interface BudgetLimits {
  readonly perHost: number;
  readonly perAccount: number;
}

/** `wishes`: passes to come per host. One connection each comes before a second one for any. */
export function createBudget(limits: BudgetLimits, wishes: ReadonlyMap<string, number>): Budget {
  const hosts = new Map<string, HostState>();
  const stateOf = (host: string): HostState => {
    const state = hosts.get(host) ?? { used: 0, waiting: [] };
    hosts.set(host, state);
    return state;
  };
  return {
    async take(host) {
      const state = stateOf(host);
      const connections = connectionsEach(limits, wishes.get(host) ?? 1);
      while (state.used + connections > limits.perHost)
        await new Promise<void>((resolve) => state.waiting.push(resolve));
      state.used += connections;
      return {
        connections,
        release() {
          state.used -= connections;
          for (const wake of state.waiting.splice(0)) wake();
        },
      };
    },
  };
}

export function connectionsEach({ perHost, perAccount }: BudgetLimits, passCount: number): number {
  return Math.max(1, Math.min(perAccount, perHost, Math.floor(perHost / Math.max(1, passCount))));
}
