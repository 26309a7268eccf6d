/**
 * Turns a PHP file's constants into ours. Pure. Names that are known are converted (TRUE, 1 and '1' where a boolean is meant, '600'
 * where a number is) and checked; of the others only the name is repeated, since their values may be secrets.
 */
import { posix } from 'node:path';
import { type ConstantName, constantNames, constants } from '../schema.ts';
import type { Define, Defines } from './defines.ts';
import type { PhpValue } from './evaluate.ts';

export interface Converted {
  readonly values: readonly { readonly name: ConstantName; readonly value: unknown; readonly line: number }[];
  /** Names that backproc does not know, with their lines. */
  readonly unknown: readonly string[];
  /** Known names whose values can't be taken, and why, with their lines. */
  readonly mistakes: readonly string[];
  readonly remarks: readonly string[];
}

const isKnown = (name: string): name is ConstantName => Object.hasOwn(constants, name);

export function convert({ defines, remarks }: Defines): Converted {
  const known = defines.filter((define) => isKnown(define.name));
  const outcomes = known.map((define) => ({ define, outcome: convertOne(define) }));
  return {
    values: outcomes.flatMap(({ define: { name, line }, outcome }) =>
      'value' in outcome && isKnown(name) ? [{ name, value: outcome.value, line }] : [],
    ),
    unknown: defines.filter(({ name }) => !isKnown(name)).map(({ name, line }) => `${name} (line ${line})`),
    mistakes: outcomes.flatMap(({ outcome }) => ('mistake' in outcome ? [outcome.mistake] : [])),
    // About other programs' constants nobody asked.
    remarks: remarks.filter((remark) => constantNames.some((name) => remark.includes(` ${name}: `))),
  };
}

function convertOne({ name, line, value, why }: Define): { value: unknown } | { mistake: string } {
  if (!isKnown(name)) return { mistake: '' };
  const { schema, expected } = constants[name];
  if (value === undefined) return { mistake: `line ${line}: ${name} is not read: ${why}. Expected: ${expected}.` };
  const candidates: unknown[] = expected.startsWith('a path') ? [asPath(value)] : readings(value);
  const taken = candidates.find((candidate) => schema.safeParse(candidate).success);
  if (taken !== undefined) return { value: taken };
  return { mistake: `line ${line}: ${name} is ${JSON.stringify(value)}. Expected: ${expected}.` };
}

/** What a PHP value can stand for, the value itself first. PHP has no booleans in old configurations, and many strings. */
function readings(value: PhpValue): unknown[] {
  const number = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()) ? [Number(value)] : [];
  const truth = [true, 1, '1', 'true', 'TRUE', 'on', 'yes'].includes(value as string)
    ? [true]
    : [false, 0, '0', '', 'false', 'FALSE', 'off', 'no'].includes(value as string)
      ? [false]
      : [];
  return [value, ...number, ...truth, ...(value === '' || value === false ? [null] : [])];
}

const asPath = (value: PhpValue): unknown =>
  typeof value !== 'string' || value === '' ? null : value.includes('/') ? posix.normalize(value) : value;

/** A config.ts. `file`: where it came from. */
export function toConfigText({ values, unknown, mistakes, remarks }: Converted, file: string): string {
  const lines = [
    `// From ${JSON.stringify(file)} by \`backproc config import-php\`. \`backproc config check\` tells whether it is right.`,
    ...remarks.map((text) => `// Look at ${oneLine(text)}`),
    ...mistakes.map((text) => `// MISTAKE, left out: ${oneLine(text)}`),
    '',
    ...values.map(({ name, value, line }) => `export const ${name} = ${literal(value)}; // line ${line}`),
    ...(unknown.length === 0
      ? []
      : ['', '// Not known to backproc, left out:', ...unknown.map((text) => `//   ${oneLine(text)}`)]),
  ];
  return lines.join('\n');
}

/** Names and values come from a file: none of them may end a comment's line. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');

function literal(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const inner = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner.replace(/[\u2028\u2029]/g, (c) => (c === '\u2028' ? '\\u2028' : '\\u2029'))}'`;
}
