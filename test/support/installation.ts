/** A configured backproc in a temp folder, driven through its command line as an administrator would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { openSqlite } from '../../src/base/sqlite.ts';
import { createContext } from '../../src/cli/context.ts';
import { exitCodeOfReports, firstError } from '../../src/cli/passes.ts';
import { parseServerUrl } from '../../src/cli/server-url.ts';
import { createHeldEngine } from './held-engine.ts';

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Installation {
  readonly folder: string;
  readonly storeFile: string;
  run(...args: string[]): Promise<Outcome>;
  runWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome>;
  /**
   * As `run`, in this process: for commands that start no threads and write no file that is named relatively, where a launch (a
   * third of a second of CPU) is not what the test is about.
   */
  command(...args: string[]): Promise<Outcome>;
  commandWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome>;
  /** As `sync ACNTID [--full]` would, by an engine in this process, which is open until the program is launched. */
  sync(acntid: number, ...options: '--full'[]): Promise<Outcome>;
  /** Started, not awaited: for kills and signals. After `sync` needs `endPasses`. */
  start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Outcome> };
  startWith(
    env: Readonly<Record<string, string>>,
    ...args: string[]
  ): { readonly child: ChildProcess; readonly ended: Promise<Outcome> };
  /** Closes the engine of `sync`, which holds the lock of the store. */
  endPasses(): Promise<void>;
  /** As `account add` would, in this process: that saves a quarter of a second of CPU, hundreds of times. */
  addAccount(port: number, user: string): Promise<number>;
  /** Rows of a read-only query. */
  query<T = Record<string, unknown>>(sql: string, ...values: unknown[]): T[];
  remove(): void;
}

const installFolder = join(import.meta.dirname, '../..');
/** Of the process of the tests; the program's own is set while it makes a store here. */
const ownMask = process.umask(0o022);
process.umask(ownMask);
export const mainFile = join(installFolder, 'dist/main.js');

export function createInstallation(config: Readonly<Record<string, unknown>> = {}): Installation {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-test-'));
  const storeFile = join(folder, 'store/mail.db');
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const held = createHeldEngine(folder);
  const start = (env: Readonly<Record<string, string>>, args: readonly string[]) => {
    if (held.isOpen()) throw new Error('the engine of `sync` is open: call endPasses() before');
    const child = spawn(process.execPath, [mainFile, ...args], {
      cwd: folder,
      env: environment(env),
    });
    return { child, ended: outcomeOf(child) };
  };
  const installation: Installation = {
    folder,
    storeFile,
    run: (...args) => installation.runWith({}, ...args),
    async runWith(env, ...args) {
      await held.close();
      return start(env, args).ended;
    },
    command: (...args) => installation.commandWith({}, ...args),
    async commandWith(env, ...args) {
      await held.close();
      return commandHere(folder, env, args);
    },
    async sync(acntid, ...options) {
      const reports = await held.sync(acntid, options.length > 0 ? 'full' : 'recent');
      const trouble = firstError(reports);
      const stderr = trouble === null ? '' : `backproc: ${trouble}\n`;
      return { code: exitCodeOfReports(reports), signal: null, stdout: '', stderr };
    },
    endPasses: () => held.close(),
    start: (...args) => start({}, args),
    startWith: (env, ...args) => start(env, args),
    async addAccount(port, user) {
      const email = `${user}@example.com`;
      const address = `imap://${encodeURIComponent(user)}@127.0.0.1:${port}`;
      const imap = parseServerUrl(address, { kind: 'imap', email, allowPlaintext: false });
      const { env, stdin, stdout, stderr } = process;
      const account = { email, userId: null, name: null, imap, smtp: null, allowPlaintext: false, password: 'pw' };
      const context = createContext({ env, cwd: folder, installFolder, stdin, stdout, stderr });
      return asProgram(() => context.withStore((store) => store.addAccount(account)));
    },
    query<T>(sql: string, ...values: unknown[]) {
      const database = openSqlite(storeFile, { readonly: true });
      try {
        return database.prepare<unknown[], T>(sql).all(...values);
      } finally {
        database.close();
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  return installation;
}

const environment = (env: Readonly<Record<string, string>>) => ({ ...process.env, TEST_PASSWORD: 'pw', ...env });

/** With its umask. */
async function asProgram<T>(work: () => Promise<T>): Promise<T> {
  process.umask(0o007);
  try {
    return await work();
  } finally {
    process.umask(ownMask);
  }
}

async function commandHere(
  folder: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<Outcome> {
  const [stdout, stderr] = [createSink(), createSink()];
  const { stdin } = process;
  const surroundings = { env: environment(env), cwd: folder, installFolder, stdin };
  const context = createContext({ ...surroundings, stdout: stdout.stream, stderr: stderr.stream });
  let code = 0;
  context.setExitCode = (given) => {
    code = given;
  };
  // Every command: only where one is called.
  const { runProgram } = await import('../../src/cli/program.ts');
  await asProgram(() => runProgram(context, [process.execPath, mainFile, ...args]));
  return { code, signal: null, stdout: stdout.text(), stderr: stderr.text() };
}

/** No terminal. */
function createSink(): { stream: NodeJS.WriteStream; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream: stream as NodeJS.WriteStream, text: () => Buffer.concat(chunks).toString('utf8') };
}

async function outcomeOf(child: ReturnType<typeof spawn>): Promise<Outcome> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, ...output })));
}
