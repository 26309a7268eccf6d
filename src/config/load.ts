/** Reads and checks the configuration file, and makes its paths absolute against the file's own folder. */
import { readFileSync } from 'node:fs';
import { dirname, extname, isAbsolute, join } from 'node:path';
import { EngineError } from '../base/errors.ts';
import { type FindOptions, findConfigFile } from './find.ts';
import { checkConfig, notExported } from './problems.ts';
import type { Config } from './schema.ts';

export interface LoadedConfig {
  readonly config: Config;
  /** Null: none was found, everything is a default. */
  readonly file: string | null;
  /** What relative paths are relative to. */
  readonly folder: string;
  readonly given: ReadonlySet<string>;
}

/** Throws config_not_found for a file that was named and is not there, config_unreadable, config_invalid for one that is wrong. */
export async function loadConfig(options: FindOptions): Promise<LoadedConfig> {
  const file = findConfigFile(options);
  const text = file === null ? '' : textOf(file);
  const given = file === null ? {} : await readConfigFile(file, text);
  const folder = file === null ? options.cwd : dirname(file);
  return {
    config: absolutePaths(checkConfig(given, file ?? 'defaults', notExported(text, given)), folder),
    file,
    folder,
    given: new Set(Object.keys(given)),
  };
}

/** The loader of modules calls a folder a missing module, and a file of another user's a mistake in it. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new EngineError('config_unreadable', `${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function readConfigFile(file: string, text: string): Promise<Record<string, unknown>> {
  try {
    const content = extname(file) === '.json' ? JSON.parse(withoutMark(text)) : await importConfig(file);
    if (typeof content !== 'object' || content === null || Array.isArray(content))
      throw new Error('it holds no constants');
    return content as Record<string, unknown>;
  } catch (error) {
    throw new EngineError('config_invalid', `${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** A file that waits for what never comes (a server, a prompt) must not keep every command, and every launch, in silence. */
const importMsMax = 30_000;

/** Named exports, a default-exported object, or both. jiti is loaded only here: JSON starts faster. */
async function importConfig(file: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, { fsCache: false, moduleCache: false });
  // Node 23 and later name what a CommonJS file exports a second time.
  const { default: whole, 'module.exports': _, ...named } = await inTime(jiti.import<Record<string, unknown>>(file));
  if (whole !== undefined && !holdsConstants(whole))
    throw new Error('its default export is no object of constants; a function is not called, a promise not waited for');
  return { ...(whole as object | undefined), ...named };
}

const holdsConstants = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise);

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `it was still not loaded after ${importMsMax / 1000} s: something in it is waited for`;
    timer = setTimeout(() => reject(new Error(text)), importMsMax);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const pathNames = [
  'BACKPROC_PID_LOCATION',
  'BACKPROC_DATA_LOCATION',
  'BACKPROC_LOG_LOCATION',
  'BACKPROC_SECRET_KEY_FILE',
  'EMAIL_ATTACHMENT_ROOT',
  'EMAIL_PICKUP_LOCATION',
] as const;

function absolutePaths(config: Config, folder: string): Config {
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
  const paths = pathNames.flatMap((name) => (config[name] === null ? [] : [[name, absolute(config[name])]]));
  const store = config.BACKPROC_STORE.startsWith('sqlite:')
    ? `sqlite:${absolute(config.BACKPROC_STORE.slice(7))}`
    : config.BACKPROC_STORE;
  return { ...config, ...Object.fromEntries(paths), BACKPROC_STORE: store };
}

/** Editors on Windows begin a file with one. */
const withoutMark = (text: string): string => text.replace(/^\ufeff/, '');
