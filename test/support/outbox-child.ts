/** outbox-process.ts as a child, translated by the build: with jiti it would take three times as long to start, and tests start dozens. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { builtFile } from './built.ts';
import type { OutboxOptions } from './outbox-process.ts';

export const spawnOutbox = (options: OutboxOptions, spawning: SpawnOptions): ChildProcess =>
  spawn(process.execPath, [builtFile('outbox-process'), JSON.stringify(options)], spawning);
