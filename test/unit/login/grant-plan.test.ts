import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GrantMoment, leaseMs, lifeOf, planGrant, retryAtOf } from '../../../src/login/grant-plan.ts';
import type { Grant } from '../../../src/store/logins.ts';

const nowMs = Date.parse('2026-11-24T12:00:00.000Z');
const inMs = (ms: number): string => new Date(nowMs + ms).toISOString();
const moment: GrantMoment = { nowMs, refused: null, ignoresBackoff: false };
const grant = (more: Partial<Grant> = {}): Grant => ({
  preset: null,
  clientId: 'app',
  tokenUrl: 'https://login.example.com/token',
  scope: null,
  clientSecret: null,
  refreshToken: 'r',
  generation: 1,
  accessToken: { token: 'a', refreshAt: inMs(1000), expiresAt: inMs(2000) },
  leaseUntil: null,
  failure: null,
  ...more,
});
const ageing = { accessToken: { token: 'a', refreshAt: inMs(-1), expiresAt: inMs(2000) } };
const dead = { accessToken: { token: 'a', refreshAt: inMs(-2), expiresAt: inMs(-1) } };
const leased = { leaseUntil: inMs(leaseMs - 1) };
const failure = { kind: 'unavailable', error: 'HTTP 500', retryAt: inMs(5000), count: 3 } as const;

describe('a token', () => {
  it.each([
    ['that is fresh is used', grant(), { kind: 'use', token: 'a' }],
    ['that is ageing is replaced, and serves if that fails', grant(ageing), { kind: 'refresh', spare: 'a' }],
    ['that is dead is replaced', grant(dead), { kind: 'refresh', spare: null }],
    ['that was never fetched is fetched', grant({ accessToken: null }), { kind: 'refresh', spare: null }],
    ['that another is replacing still serves', grant({ ...ageing, ...leased }), { kind: 'use', token: 'a' }],
    ['that is dead and being replaced is waited for', grant({ ...dead, ...leased }), { kind: 'wait' }],
    ['whose lease has run out is replaced', grant({ ...dead, leaseUntil: inMs(0) }), { kind: 'refresh', spare: null }],
    [
      'whose lease could not last so long is replaced',
      grant({ ...dead, leaseUntil: inMs(leaseMs + 1) }),
      { kind: 'refresh', spare: null },
    ],
    ['that can’t be replaced now serves still', grant({ ...ageing, failure }), { kind: 'use', token: 'a' }],
    ['that is dead and can’t be replaced now fails', grant({ ...dead, failure }), { kind: 'fail', failure }],
    [
      'whose failure is past is tried again',
      grant({ ...dead, failure: { ...failure, retryAt: inMs(0) } }),
      { kind: 'refresh', spare: null },
    ],
    [
      'whose failure would last for ever is tried again',
      grant({ ...dead, failure: { ...failure, retryAt: inMs(1e9) } }),
      { kind: 'refresh', spare: null },
    ],
  ])('%s', (_title, given, plan) => {
    expect(planGrant(given, moment)).toEqual(plan);
  });

  it('that the server refused is never handed out again', () => {
    expect(planGrant(grant(), { ...moment, refused: 'a' })).toEqual({ kind: 'refresh', spare: null });
    expect(planGrant(grant(leased), { ...moment, refused: 'a' })).toEqual({ kind: 'wait' });
    expect(planGrant(grant(), { ...moment, refused: 'older' })).toEqual({ kind: 'use', token: 'a' });
  });

  it('is asked for by people whatever failed a moment ago', () => {
    const plan = planGrant(grant({ ...dead, failure }), { ...moment, ignoresBackoff: true });
    expect(plan).toEqual({ kind: 'refresh', spare: null });
  });

  it('is never handed out dead or refused, and never replaced while a lease lasts', () => {
    const instant = fc.integer({ min: -1e5, max: 1e5 }).map(inMs);
    const anyGrant = fc.record({
      accessToken: fc.option(fc.record({ token: fc.constantFrom('a', 'b'), refreshAt: instant, expiresAt: instant })),
      leaseUntil: fc.option(instant),
      failure: fc.option(instant.map((retryAt) => ({ ...failure, retryAt }))),
    });
    fc.assert(
      fc.property(anyGrant, fc.option(fc.constantFrom('a', 'b')), fc.boolean(), (more, refused, ignoresBackoff) => {
        const plan = planGrant(grant(more), { nowMs, refused, ignoresBackoff });
        const handedOut = plan.kind === 'use' ? plan.token : plan.kind === 'refresh' ? plan.spare : null;
        if (handedOut !== null) {
          expect(handedOut).not.toBe(refused);
          expect(Date.parse(more.accessToken?.expiresAt ?? '')).toBeGreaterThan(nowMs);
        }
        const leaseEndMs = Date.parse(more.leaseUntil ?? '') - nowMs;
        if (leaseEndMs > 0 && leaseEndMs <= leaseMs) expect(plan.kind).not.toBe('refresh');
      }),
    );
  });
});

describe('the life of a token', () => {
  it('has its replacement before its end, and its end before the provider’s', () => {
    fc.assert(
      fc.property(fc.option(fc.integer({ min: 1, max: 1e9 })), (seconds) => {
        const { refreshAt, expiresAt } = lifeOf(seconds, nowMs);
        expect(Date.parse(refreshAt)).toBeGreaterThan(nowMs);
        expect(Date.parse(refreshAt)).toBeLessThan(Date.parse(expiresAt));
        if (seconds !== null) expect(Date.parse(expiresAt)).toBeLessThan(nowMs + seconds * 1000);
      }),
    );
  });
  it('of an hour is 55 minutes, and 59 at need', () => {
    expect(lifeOf(3600, nowMs)).toEqual({ refreshAt: inMs(55 * 60_000), expiresAt: inMs(59 * 60_000) });
  });
});

describe('the next try', () => {
  it('comes later each time, at the provider’s word, and within the hour', () => {
    const seconds = (kind: 'refused' | 'unavailable', count: number, retryAfter: number | null): number =>
      (Date.parse(retryAtOf(kind, count, retryAfter, nowMs)) - nowMs) / 1000;
    expect([1, 2, 3, 20].map((count) => seconds('unavailable', count, null))).toEqual([15, 30, 60, 900]);
    expect([seconds('unavailable', 1, 120), seconds('unavailable', 1, 1e9), seconds('refused', 1, null)]).toEqual([
      120, 3600, 600,
    ]);
  });
});
