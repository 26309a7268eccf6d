/** The time one pass may take before others get their turn. Looked at between windows, so that every pass gets on. */
export interface Slice {
  isOver(): boolean;
  /** Something was left for the next pass. */
  wasCut: boolean;
}

/** Monotonic. Null: without an end. */
export function startSlice(ms: number | null): Slice {
  const endMs = performance.now() + (ms ?? Number.POSITIVE_INFINITY);
  return { isOver: () => performance.now() >= endMs, wasCut: false };
}
