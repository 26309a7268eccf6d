/** A command as one argument: words between spaces, or a JSON list where a word holds spaces. Pure. Throws usage. */
import { EngineError } from '../base/errors.ts';

export function parseWords(text: string): string[] {
  if (text.startsWith('[')) return parseList(text);
  if (/["'`$|;&<>\\]/.test(text)) return refuse('no shell runs it: write it as a JSON list of words');
  return text.split(/\s+/).filter((word) => word !== '');
}

function parseList(text: string): string[] {
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === 'string')) return words;
  } catch {
    return refuse('it is no JSON list');
  }
  return refuse('it must be a list of strings');
}

function refuse(why: string): never {
  throw new EngineError(
    'usage',
    `--password-command: ${why}. Expected: 'pass show mail/anna' or '["pass", "show", "a b"]'.`,
  );
}
