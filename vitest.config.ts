import { defineConfig } from 'vitest/config';

// One project per kind of test. Live, thread and crash tests start real processes: few at a time. Much of it is waiting for
// clocks, so three on two cores (456 s where two took 586). What starts no processes of its own shares those of the tests: a new
// one for each file costs a second of CPU.
const shared = ['unit', 'contract', 'scenario'];
const project = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: 60_000,
    pool: 'forks' as const,
    isolate: !shared.includes(name),
  },
});

export default defineConfig({
  test: {
    maxWorkers: 3,
    projects: [
      project('unit', 20_000),
      project('contract', 60_000),
      project('scenario', 120_000),
      project('simulation', 120_000),
      project('thread', 120_000),
      project('live', 180_000),
      project('crash', 3_600_000),
      // Other servers, which have to be fetched first: `npm run test:interop`.
      ...(process.env.npm_lifecycle_event === 'test:interop' ? [project('interop', 600_000)] : []),
    ],
  },
});
