/** Imported first, for its effect: an older Node than package.json asks for is told so, instead of failing where nobody would look. */
import { writeSync } from 'node:fs';

/** `engines` in package.json. */
export const oldestNode = '20.19.0';

export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  const at = a?.findIndex((part, index) => part !== b?.[index]) ?? -1;
  return at !== -1 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}

if (isOlder(process.versions.node, oldestNode)) {
  writeSync(2, `backproc: This is Node.js ${process.versions.node}, and backproc needs ${oldestNode} or newer.\n`);
  process.exit(78);
}
