/** Where the configuration file is. Loads no schema: a second launch finds it too (engine/launch/quick-look.ts). */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineError } from '../base/errors.ts';

export interface FindOptions {
  /** --config */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly installFolder: string;
}

const names = ['config.ts', 'config.js', 'config.json'];

/** Throws config_not_found for a file that was named and is not there. --config, else BACKPROC_CONFIG, else the current folder, else the install folder. */
export function findConfigFile({ file, env, cwd, installFolder }: FindOptions): string | null {
  const named = file ?? env.BACKPROC_CONFIG;
  if (named !== undefined && named !== '') {
    const path = resolve(cwd, named);
    if (!existsSync(path)) throw new EngineError('config_not_found', path);
    return path;
  }
  const candidates = [cwd, installFolder].flatMap((folder) => names.map((name) => join(folder, name)));
  return candidates.find((candidate) => existsSync(candidate)) ?? null;
}
