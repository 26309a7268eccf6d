/** Versions of the program, `1.2.3` or `1.2.3-beta.1`. Pure. */

/** By numbers; of two with the same numbers, one without a suffix is the newer. Anything else is not newer. */
export function isNewer(a: string, b: string): boolean {
  const [left, right] = [parse(a), parse(b)];
  if (!left || !right) return false;
  for (let index = 0; index < 3; index += 1) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return left.suffix === '' && right.suffix !== '';
}

function parse(version: string): { numbers: number[]; suffix: string } | null {
  const match = /^(\d+)\.(\d+)\.(\d+)(?:-(.+))?$/.exec(version);
  return match ? { numbers: match.slice(1, 4).map(Number), suffix: match[4] ?? '' } : null;
}
