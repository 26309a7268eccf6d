/** "Did you mean": the known name with the fewest edits. Pure. */

export function nearestName(given: string, names: readonly string[]): string {
  const upper = given.toUpperCase();
  const byDistance = names.map((name) => ({ name, distance: editDistance(upper, name.toUpperCase()) }));
  return byDistance.reduce((best, one) => (one.distance < best.distance ? one : best), {
    name: '',
    distance: Number.POSITIVE_INFINITY,
  }).name;
}

/** Levenshtein: insertions, deletions and replacements, one row at a time. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
