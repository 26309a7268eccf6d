/**
 * Mail that other projects ship with their tests: fetched by the ordinary clients of npm and Debian where they can be had, kept in
 * the temp folder, needed by nothing. What cannot be had is named, with the reason.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Corpora {
  readonly files: readonly string[];
  /** One line for each source that is missing. */
  readonly missing: readonly string[];
}

interface Source {
  readonly name: string;
  /** Fills the folder; throws when it cannot. */
  readonly fetch: (folder: string) => void;
  /** Of the files in it, the mails. */
  readonly isMail: (path: string) => boolean;
}

const msMax = 120_000;

function run(folder: string, program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: msMax });
  if (status !== 0)
    throw new Error(`${program} ${args[0] ?? ''}: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? ''}`);
}

const only = (folder: string, end: string): string => readdirSync(folder).find((name) => name.endsWith(end)) ?? '';

const fromNpm = (name: string, isMail: Source['isMail']): Source => ({
  name: `npm ${name}`,
  isMail,
  fetch(folder) {
    run(folder, 'npm', 'pack', '--silent', '--fetch-retries=0', '--fetch-timeout=20000', name);
    run(folder, 'tar', 'xzf', only(folder, '.tgz'));
  },
});

const fromDebian = (name: string, isMail: Source['isMail']): Source => ({
  name: `Debian ${name}`,
  isMail,
  fetch(folder) {
    run(folder, 'apt-get', '-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=15', 'download', name);
    run(folder, 'dpkg-deb', '-x', only(folder, '.deb'), '.');
  },
});

const sources: readonly Source[] = [
  fromNpm('wildduck@1.46.1', (path) => path.includes('imap-core/test/fixtures') && /\.(eml|txt)$/.test(path)),
  fromNpm('mailparser@0.6.2', (path) => path.endsWith('.eml')),
  fromNpm('eml-format@0.6.1', (path) => path.endsWith('.eml')),
  fromDebian('libpython3.11-testsuite', (path) => /test_email\/data\/msg_\d+\.txt$/.test(path)),
];

/** Below its own name only once it is complete. */
function folderOf(cache: string, { name, fetch }: Source): string {
  const folder = join(cache, name.replace(/[^\w.@-]/g, '-'));
  if (existsSync(folder)) return folder;
  const part = `${folder}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  try {
    fetch(part);
    renameSync(part, folder);
  } catch (error) {
    // Another process may have been here first.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return folder;
}

export function fetchCorpora(): Corpora {
  const cache = join(tmpdir(), 'backproc-corpora');
  const files: string[] = [];
  const missing: string[] = [];
  for (const source of sources) {
    try {
      files.push(...filesIn(folderOf(cache, source)).filter(source.isMail));
    } catch (error) {
      missing.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { files, missing };
}

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
