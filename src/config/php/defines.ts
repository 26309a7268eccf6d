/**
 * All `define('NAME', value)` and `const NAME = value` of a PHP file, in order. Nothing of it is run. php-parser is loaded with this
 * file, so only `config import-php` pays for it. Throws config_invalid, with the line, for what is no PHP.
 */
import { Engine } from 'php-parser';
import { EngineError } from '../../base/errors.ts';
import { calledName, evaluate, isNode, type PhpNode, PhpUnreadable, type PhpValue } from './evaluate.ts';

export interface Define {
  readonly name: string;
  readonly line: number;
  /** Undefined: PHP alone knows; `why` says so. */
  readonly value: PhpValue | undefined;
  readonly why: string;
}

export interface Defines {
  readonly defines: readonly Define[];
  /** What an administrator should look at, each with its line. */
  readonly remarks: readonly string[];
}

/** `file`: absolute, what `__FILE__` says. */
export function readDefines(source: string, file: string): Defines {
  const found: Define[] = [];
  const remarks: string[] = [];
  const names = new Set<string>();
  const constants = new Map<string, PhpValue>();
  const add = ({ name, expression, line, isConditional }: RawDefine): void => {
    const remark = (text: string): void => void remarks.push(`line ${line}: ${name}: ${text}`);
    // PHP keeps the first of two as well.
    if (names.has(name)) {
      remark('defined again; the first one counts');
      return;
    }
    names.add(name);
    if (isConditional) remark('stands under a condition; taken as if it held');
    const define = { name, line, ...read(expression, { file: file.replaceAll('\\', '/'), constants, remark }) };
    if (define.value !== undefined) constants.set(name, define.value);
    found.push(define);
  };
  walk(parse(source, file), false, add);
  return { defines: found, remarks };
}

function parse(source: string, file: string): unknown {
  try {
    return new Engine({ parser: { extractDoc: false }, ast: { withPositions: true } }).parseCode(source, file);
  } catch (error) {
    throw new EngineError('config_invalid', `${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface RawDefine {
  readonly name: string;
  readonly expression: unknown;
  readonly line: number;
  readonly isConditional: boolean;
}

function read(expression: unknown, php: Parameters<typeof evaluate>[1]): Pick<Define, 'value' | 'why'> {
  try {
    return { value: evaluate(expression, php), why: '' };
  } catch (error) {
    if (error instanceof PhpUnreadable) return { value: undefined, why: error.message };
    throw error;
  }
}

const conditional: ReadonlySet<string> = new Set([
  'if',
  'switch',
  'retif',
  'function',
  'method',
  'closure',
  'while',
  'catch',
]);

/** In the order of the text. The tree is as deep as the file is nested. */
function walk(node: unknown, isConditional: boolean, add: (define: RawDefine) => void): void {
  if (Array.isArray(node)) for (const child of node) walk(child, isConditional, add);
  if (!isNode(node)) return;
  const line = node.loc?.start.line ?? 0;
  for (const { name, expression } of definesOf(node)) add({ name, expression, line, isConditional });
  const isUnder = isConditional || (conditional.has(node.kind) && !isUnlessDefined(node));
  for (const [field, child] of Object.entries(node)) if (field !== 'loc') walk(child, isUnder, add);
}

function definesOf(node: PhpNode): { name: string; expression: unknown }[] {
  if (node.kind === 'call' && calledName(node) === 'define' && Array.isArray(node.arguments)) {
    const [name, expression] = node.arguments as unknown[];
    return isNode(name) && name.kind === 'string' ? [{ name: String(name.value), expression }] : [];
  }
  if (node.kind !== 'constantstatement' || !Array.isArray(node.constants)) return [];
  return node.constants
    .filter(isNode)
    .map(({ name, value }) => ({ name: isNode(name) ? String(name.name) : String(name), expression: value }));
}

/** `if (!defined('X')) define('X', …);` is how defaults are written: no condition to be told of. */
function isUnlessDefined({ kind, test, alternate }: PhpNode): boolean {
  if (kind !== 'if' || alternate || !isNode(test) || test.kind !== 'unary' || test.type !== '!') return false;
  return isNode(test.what) && test.what.kind === 'call' && calledName(test.what) === 'defined';
}
