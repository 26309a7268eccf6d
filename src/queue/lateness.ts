/** Lateness as a histogram: a few dozen numbers tell the percentiles of millions of starts, a fifth of their value exact. Pure. */
import type { Lateness } from './queue.ts';

const firstMs = 10;
const growth = 1.2;
/** 10 ms × 1.2^110 = 60 days. */
const bucketMax = 110;

/** Bucket 0: on time, up to 10 ms late; each next one reaches a fifth further. */
export function bucketOf(lateMs: number): number {
  if (lateMs <= firstMs) return 0;
  return Math.min(bucketMax, Math.ceil(Math.log(lateMs / firstMs) / Math.log(growth)));
}

const upperMs = (bucket: number): number => Math.round(firstMs * growth ** bucket);

export interface BucketCount {
  readonly class: string;
  readonly bucket: number;
  readonly count: number;
}

export function latenessOf(counts: readonly BucketCount[]): Lateness[] {
  const classes = [...new Set(counts.map((one) => one.class))].sort((a, b) => a.localeCompare(b));
  return classes.map((name) => {
    const buckets = counts.filter((one) => one.class === name).sort((a, b) => a.bucket - b.bucket);
    const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
    const at = (share: number): number => upperMs(bucketAt(buckets, share * count));
    return { class: name, count, p50Ms: at(0.5), p95Ms: at(0.95), worstMs: at(1) };
  });
}

function bucketAt(buckets: readonly BucketCount[], rank: number): number {
  let passed = 0;
  for (const { bucket, count } of buckets) {
    passed += count;
    if (passed >= rank) return bucket;
  }
  return buckets.at(-1)?.bucket ?? 0;
}
