/** outbox-process.ts as a child. With jiti it would take three times as long to start, and tests that kill start dozens. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import type { OutboxOptions } from './outbox-process.ts';

const folder = join(import.meta.dirname, '../../build/support');
const program = join(folder, 'outbox-process.js');

/** Once for each test file; several may do it at a time. */
function translate(): void {
  const source = readFileSync(join(import.meta.dirname, 'outbox-process.ts'), 'utf8');
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ESNext };
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${program}.${process.pid}`, transpileModule(source, { compilerOptions }).outputText);
  renameSync(`${program}.${process.pid}`, program);
}

translate();

export const spawnOutbox = (options: OutboxOptions, spawning: SpawnOptions): ChildProcess =>
  spawn(process.execPath, [program, JSON.stringify(options)], spawning);
