/** Programs of the system's, one after the other; the first that fails ends it, with its own words. Throws `install_failed`. */
import { spawnSync } from 'node:child_process';
import { EngineError } from '../../base/errors.ts';
import { shCommand } from './quoting.ts';

/** Starting a service waits until the process has begun, stopping it until it has ended. */
const commandMs = 900_000;

export function runAll(commands: readonly (readonly string[])[]): void {
  for (const [program = '', ...args] of commands) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: commandMs });
    if (status === 0) continue;
    const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? '';
    throw new EngineError('install_failed', `${shCommand([program, ...args])}: ${why === '' ? `exit ${status}` : why}`);
  }
}
