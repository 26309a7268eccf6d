/**
 * What a PHP expression of a configuration file amounts to: literals, `__DIR__ . '…'`, arithmetic, constants defined before. Pure.
 * Anything that only PHP itself could know (variables, functions, conditions) is not guessed at.
 */
import { posix } from 'node:path';

/** A node of php-parser's tree, as far as it is looked at. */
export interface PhpNode {
  readonly kind: string;
  readonly loc?: { readonly start: { readonly line: number } } | null;
  readonly [field: string]: unknown;
}

export type PhpValue = string | number | boolean | null;

export interface PhpSurroundings {
  /** Absolute, with `/`. */
  readonly file: string;
  readonly constants: ReadonlyMap<string, PhpValue>;
  /** Told of what is taken for a slip of the pen. */
  readonly remark: (text: string) => void;
}

export class PhpUnreadable extends Error {}

export const isNode = (value: unknown): value is PhpNode =>
  typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';

/** Throws PhpUnreadable with the reason, for people. */
export function evaluate(expression: unknown, php: PhpSurroundings): PhpValue {
  if (!isNode(expression)) throw new PhpUnreadable('nothing stands there');
  const { value } = expression;
  switch (expression.kind) {
    case 'string':
    case 'nowdoc':
      return String(value);
    case 'number':
      return toNumber(String(value));
    case 'boolean':
      return value === true;
    case 'nullkeyword':
      return null;
    case 'magic':
      return magic(String(value), php);
    case 'unary':
      return unary(String(expression.type), evaluate(expression.what, php));
    case 'bin':
      return binary(expression, php);
    case 'encapsed':
      return encapsed(value, php);
    case 'name':
      return constant(nameOf(expression), php);
    case 'call':
      return call(expression, php);
    default:
      throw new PhpUnreadable(`${expression.kind} is not read`);
  }
}

export const nameOf = (node: PhpNode): string => String(node.name).replace(/^\\/, '');

/** `1_000`, `0x1F`, `0b1`, `010` (octal), `1.5e3` */
function toNumber(text: string): number {
  const plain = text.replaceAll('_', '').toLowerCase();
  const value = /^0\d+$/.test(plain) ? Number.parseInt(plain, 8) : Number(plain);
  if (!Number.isFinite(value)) throw new PhpUnreadable(`${text} is too large a number`);
  return value;
}

function magic(name: string, { file }: PhpSurroundings): string {
  if (name === '__DIR__') return posix.dirname(file);
  if (name === '__FILE__') return file;
  throw new PhpUnreadable(`${name} is not read`);
}

function unary(operator: string, value: PhpValue): PhpValue {
  if (operator === '!') return !value;
  if (operator === '-' && typeof value === 'number') return -value;
  if (operator === '+' && typeof value === 'number') return value;
  throw new PhpUnreadable(`${operator} before ${JSON.stringify(value)} is not read`);
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '**': (a, b) => a ** b,
};

function binary({ type, left, right }: PhpNode, php: PhpSurroundings): PhpValue {
  const a = evaluate(left, php);
  const b = evaluate(right, php);
  if (type === '.') return `${toText(a)}${missingSlash(left, toText(b), php)}${toText(b)}`;
  const operation = arithmetic[String(type)];
  if (!operation || typeof a !== 'number' || typeof b !== 'number')
    throw new PhpUnreadable(`${String(type)} between ${JSON.stringify(a)} and ${JSON.stringify(b)} is not read`);
  return operation(a, b);
}

const toText = (value: PhpValue): string =>
  value === true ? '1' : value === false || value === null ? '' : String(value);

/** `__DIR__.'../data'` stands in manuals: a folder's name without a slash after it, which PHP glues together. */
function missingSlash(left: unknown, next: string, php: PhpSurroundings): string {
  if (!isFolder(left) || next === '' || /^[/\\]/.test(next)) return '';
  php.remark(`a slash is missing between __DIR__ and ${JSON.stringify(next)}: it was put in`);
  return '/';
}

const isFolder = (node: unknown): boolean =>
  isNode(node) &&
  ((node.kind === 'magic' && node.value === '__DIR__') || (node.kind === 'call' && calledName(node) === 'dirname'));

function encapsed(parts: unknown, php: PhpSurroundings): string {
  if (!Array.isArray(parts)) throw new PhpUnreadable('a text is not read');
  return parts
    .map((part: unknown) => (isNode(part) && isNode(part.expression) ? part.expression : null))
    .map((part) => {
      if (part?.kind === 'variable') throw new PhpUnreadable(`$${String(part.name)} is known to PHP alone`);
      return toText(evaluate(part, php));
    })
    .join('');
}

function constant(name: string, { constants }: PhpSurroundings): PhpValue {
  const known = constants.get(name);
  if (known !== undefined) return known;
  if (name === 'DIRECTORY_SEPARATOR') return '/';
  throw new PhpUnreadable(`the constant ${name} is not defined above`);
}

export const calledName = (node: PhpNode): string =>
  isNode(node.what) && node.what.kind === 'name' ? nameOf(node.what).toLowerCase() : '';

function call(node: PhpNode, php: PhpSurroundings): PhpValue {
  const [argument, levels] = Array.isArray(node.arguments) ? (node.arguments as unknown[]) : [];
  const name = calledName(node);
  if (name === 'dirname' && levels === undefined) return posix.dirname(toText(evaluate(argument, php)));
  if (name === 'realpath') return posix.normalize(toText(evaluate(argument, php)));
  throw new PhpUnreadable(`${name === '' ? 'a function' : `${name}()`} is known to PHP alone`);
}
