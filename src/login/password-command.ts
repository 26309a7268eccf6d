/**
 * A password from a command: for those who keep secrets elsewhere. No shell: argv, with {acntid}, {email}, {user}, {host} and
 * {protocol} filled in as parts of arguments. The first line of its output is the password; nothing it prints is ever logged or
 * repeated. Bounded in time and size. Throws `password_command_failed`, `aborted`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { withDeadline } from '../base/abort.ts';
import { EngineError } from '../base/errors.ts';

/** A vault over the network needs seconds; longer, and the account's pass would only wait. */
const timeoutMs = 20_000;
const lineBytesMax = 64 * 1024;

export interface CommandSubject {
  readonly acntid: number;
  readonly email: string;
  readonly user: string;
  readonly host: string;
  readonly protocol: string;
}

/**
 * argv with its placeholders filled in. Pure. What is filled in is data that others may have written: it can't become an option,
 * nor end an argument. Throws `password_command_failed`.
 */
export function fillCommand(argv: readonly string[], subject: CommandSubject): string[] {
  return argv.map((argument, index) => {
    const filled = argument.replace(/\{(\w+)\}/g, (whole, name: string) =>
      Object.hasOwn(subject, name) ? String(subject[name as keyof CommandSubject]) : whole,
    );
    if (/\p{Cc}/u.test(filled)) throw failed(argv, 'a value to fill in holds control characters');
    if (filled !== argument && (index === 0 || (filled.startsWith('-') && !argument.startsWith('-'))))
      throw failed(argv, `a value to fill in would become ${index === 0 ? 'the program' : 'an option'}`);
    return filled;
  });
}

export async function runPasswordCommand(argv: readonly string[], signal: AbortSignal): Promise<string> {
  const [program = '', ...args] = argv;
  // A group of its own, so that what the command started ends with it.
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const what = `password command ${program}`;
  try {
    return await withDeadline(firstLineOf(child, argv), { ms: timeoutMs, onExpire: () => end(child), signal, what });
  } catch (error) {
    end(child);
    if (error instanceof EngineError && error.code === 'timeout') throw failed(argv, `no end after ${timeoutMs} ms`);
    throw error;
  }
}

function firstLineOf(child: ChildProcess, argv: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = Buffer.alloc(0);
    // An agent that it started may keep the pipe open for ever: a whole line and a good end will do.
    const enough = (): void => {
      if (child.exitCode === 0 && output.includes(10)) child.stdout?.destroy();
    };
    child.stdout?.on('data', (data: Buffer) => {
      if (output.includes(10)) return;
      output = Buffer.concat([output, data]);
      if (output.length > lineBytesMax && !output.includes(10)) reject(failed(argv, 'its first line does not end'));
      enough();
    });
    child.once('error', (error: NodeJS.ErrnoException) => reject(failed(argv, error.code ?? 'it cannot be started')));
    child.once('exit', enough);
    child.once('close', (code, killedBy) => {
      const line = output.toString('utf8').split(/\r?\n/, 1)[0] ?? '';
      if (code !== 0) reject(failed(argv, code === null ? `ended by ${killedBy ?? ''}` : `exit code ${code}`));
      else if (line === '') reject(failed(argv, 'it printed no password'));
      else resolve(line);
    });
  });
}

function end(child: ChildProcess): void {
  child.stdout?.destroy();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (process.platform === 'win32') child.kill();
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    return; // it ended in this moment
  }
}

const failed = ([program = '']: readonly string[], why: string): EngineError =>
  new EngineError('password_command_failed', `${program}: ${why}`);
