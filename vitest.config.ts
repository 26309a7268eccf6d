import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// One project per kind of test. Live, thread and crash tests start real processes: few at a time. Much of it is waiting for
// clocks, so three on two cores (456 s where two took 586). A process runs many files: one for each cost half a second of CPU a
// file.
const project = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: 60_000,
    pool: 'forks' as const,
    isolate: false,
  },
});

/** A minute or more each: started last, they run alone while the other core has nothing to do. */
const isLong = ({ moduleId }: TestSpecification): boolean =>
  /simulation|outbox-kill|outbox-phases|launch/.test(moduleId);

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    projects: [
      project('unit', 20_000),
      project('contract', 60_000),
      project('scenario', 60_000),
      project('thread', 120_000),
      project('live', 180_000),
      project('crash', 3_600_000),
      // Other servers, which have to be fetched first: `npm run test:interop`.
      ...(process.env.npm_lifecycle_event === 'test:interop' ? [project('interop', 600_000)] : []),
    ],
  },
});
