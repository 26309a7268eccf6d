/** Values as words of the languages that our files are written in. Pure. None of these files can hold a control character in a path. */
import { EngineError } from '../../base/errors.ts';

/** A line end in a path would begin a line of its own in a crontab that root's cron reads. */
export function refuseControls(values: readonly string[]): void {
  const bad = values.find((value) => /[\u0000-\u001f\u007f]/.test(value));
  if (bad !== undefined)
    throw new EngineError(
      'usage',
      `A path or name with control characters cannot be installed: ${JSON.stringify(bad)}`,
    );
}

/** POSIX sh: plain words stay as they are, others stand in single quotes. */
export function shWord(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

export const shCommand = (words: readonly string[]): string => words.map(shWord).join(' ');

/** crontab(5): a percent sign ends the command unless a backslash stands before it, inside quotes too; cron takes that away. */
export const cronCommand = (words: readonly string[]): string => shCommand(words).replaceAll('%', '\\%');

/** systemd.syntax(7) and systemd.service(5): quotes, C escapes, %% for a percent sign; $$ only where variables are known. */
function systemdWord(value: string, isCommand: boolean): string {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  const word = isCommand ? escaped.replaceAll('$', '$$$$') : escaped;
  return /^[\w@%+=:,./$-]+$/.test(word) ? word : `"${word}"`;
}

export const systemdCommand = (words: readonly string[]): string =>
  words.map((word) => systemdWord(word, true)).join(' ');

export const systemdList = (words: readonly string[]): string =>
  words.map((word) => systemdWord(word, false)).join(' ');

/** A setting that is one path takes the line as it is; only specifiers are known in it. */
export const systemdPath = (path: string): string => path.replaceAll('%', '%%');

/** fstab(5): blanks and backslashes in octal. */
export const fstabField = (value: string): string =>
  value.replace(/[\\ \t#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

/** An upstart string in double quotes. */
export const upstartString = (value: string): string => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** As CommandLineToArgvW takes it apart again: backslashes count only before a quote. */
export function windowsWord(value: string): string {
  if (/^[^\s"]+$/.test(value)) return value;
  const escaped = value.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1');
  return `"${escaped}"`;
}

export const xmlText = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
