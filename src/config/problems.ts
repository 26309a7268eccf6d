/** All mistakes of a configuration at once, each with what was given, what is expected, and the nearest name. Pure. */
import { EngineError } from '../base/errors.ts';
import { nearestName } from './nearest-name.ts';
import { type Config, type ConstantName, constantNames, constants } from './schema.ts';

/** Throws config_invalid listing every mistake; otherwise the given values with defaults for the others. */
export function checkConfig(
  given: Readonly<Record<string, unknown>>,
  source: string,
  further: readonly string[] = [],
): Config {
  const mistakes = [...Object.entries(given).flatMap(([name, value]) => mistakeOf(name, value)), ...further];
  if (mistakes.length > 0)
    throw new EngineError('config_invalid', `${source}:\n${mistakes.map((line) => `  ${line}`).join('\n')}`);
  const entries = constantNames.map((name) => [name, given[name] ?? (name in given ? null : constants[name].fallback)]);
  return Object.fromEntries(entries) as Config;
}

function mistakeOf(name: string, value: unknown): string[] {
  if (!isConstant(name)) return [`${name} is unknown. Nearest name: ${nearestName(name, constantNames)}.`];
  const { schema, expected } = constants[name];
  return schema.safeParse(value).success ? [] : [`${name} is ${show(value)}. Expected: ${expected}.`];
}

/** Constants that stand at the beginning of a line and do not leave the file: nobody would see that their defaults hold. */
export function notExported(text: string, given: Readonly<Record<string, unknown>>): string[] {
  const declared = text.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/^(?:const|let|var)\s+(\w+)/gm);
  const names = new Set(Array.from(declared, ([, name = '']) => name));
  return [...names]
    .filter((name) => isConstant(name) && !(name in given))
    .map((name) => `${name} is not exported, so it changes nothing. Write: export const ${name} = …`);
}

const isConstant = (name: string): name is ConstantName => Object.hasOwn(constants, name);

function show(value: unknown): string {
  const text =
    typeof value === 'string' ? JSON.stringify(maskSecrets(value)) : (JSON.stringify(value) ?? String(value));
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** `postgres://user:***@host/db`: a password in a URL is shown nowhere. */
export function maskSecrets(text: string): string {
  return text.replace(/^(\w+:\/\/[^:/@]*:)[^@]*@/, '$1***@');
}
