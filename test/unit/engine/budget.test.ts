import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionsEach, createBudget } from '../../../src/engine/budget.ts';

describe('connections', () => {
  it('are never more than a host or an account allows, and at least one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 10 }),
        fc.nat(200),
        (perHost, perAccount, passes) => {
          const each = connectionsEach({ perHost, perAccount }, passes);
          expect(each).toBeGreaterThanOrEqual(1);
          expect(each).toBeLessThanOrEqual(Math.min(perHost, perAccount));
        },
      ),
    );
  });

  it('are granted up to the host’s limit, and wait for a release beyond it', async () => {
    const budget = createBudget({ perHost: 3, perAccount: 1 }, new Map([['mail', 5]]));
    let used = 0;
    let peak = 0;
    const pass = async (): Promise<void> => {
      const grant = await budget.take('mail');
      used += grant.connections;
      peak = Math.max(peak, used);
      await Promise.resolve();
      used -= grant.connections;
      grant.release();
    };
    await Promise.all(Array.from({ length: 10 }, pass));
    expect([peak, used]).toEqual([3, 0]);
  });
});
