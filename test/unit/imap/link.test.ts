import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLink, deflatePays, type Link, noteTransfer, pipelines } from '../../../src/imap/link.ts';

const mib = 1024 * 1024;

function linkOf(facts: { roundTripMs: number; plain?: number; deflated?: number; isTryingPlain?: boolean }): Link {
  const link = { ...createLink(), roundTripMs: facts.roundTripMs, isTryingPlain: facts.isTryingPlain ?? false };
  // Ten seconds each, in MB/s.
  const note = (kind: 'plain' | 'deflated', mbPerSecond: number | undefined): void => {
    if (mbPerSecond !== undefined)
      noteTransfer(link, kind, { bytes: mbPerSecond * 1e7, waitedMs: 10_000 + link.roundTripMs });
  };
  note('plain', facts.plain);
  note('deflated', facts.deflated);
  return link;
}

const pays = (facts: Parameters<typeof linkOf>[0]): boolean => deflatePays(linkOf(facts), { triesPlain: true });

describe('a second command is written while the first is under way', () => {
  it.each([
    [false, 'on a LAN', 7, true],
    [true, 'on a long link', 8, true],
    [false, 'where a server broke on it', 30, false],
    [false, 'before anything was answered', Number.POSITIVE_INFINITY, true],
  ])('%s %s', (expected, _, roundTripMs, takesTwo) => {
    expect(pipelines({ ...createLink(), roundTripMs, takesTwo })).toBe(expected);
  });
});

describe('DEFLATE pays', () => {
  it('never on a LAN', () => {
    expect(pays({ roundTripMs: 7, plain: 1, deflated: 10, isTryingPlain: true })).toBe(false);
  });

  it('on a long link while it is not known what plain text brings, but for one connection that tries', () => {
    expect(pays({ roundTripMs: 30, isTryingPlain: true })).toBe(true);
    expect(pays({ roundTripMs: 30 })).toBe(false);
    expect(pays({ roundTripMs: 30, deflated: 5 })).toBe(false);
  });

  it('for an answer that tries nothing, wherever plain text is not known to be fast', () => {
    expect(deflatePays(linkOf({ roundTripMs: 30 }), { triesPlain: false })).toBe(true);
    expect(deflatePays(linkOf({ roundTripMs: 30, plain: 100 }), { triesPlain: false })).toBe(false);
  });

  it('where plain text comes more slowly than a server deflates', () => {
    expect(pays({ roundTripMs: 30, plain: 1 })).toBe(true);
    expect(pays({ roundTripMs: 30, plain: 19 })).toBe(true);
    expect(pays({ roundTripMs: 30, plain: 21 })).toBe(false);
  });

  it('where it was seen to bring more, once both are known', () => {
    const rate = fc.integer({ min: 1, max: 500 });
    fc.assert(
      fc.property(rate, rate, fc.boolean(), (plain, deflated, isTryingPlain) => {
        expect(pays({ roundTripMs: 30, plain, deflated, isTryingPlain })).toBe(deflated > plain);
      }),
    );
  });

  it('is not judged by less than 4 MiB', () => {
    const link = linkOf({ roundTripMs: 30 });
    noteTransfer(link, 'plain', { bytes: 3 * mib, waitedMs: 100_000 });
    expect(deflatePays(link, { triesPlain: true })).toBe(false);
    noteTransfer(link, 'plain', { bytes: mib, waitedMs: 100_000 });
    expect(deflatePays(link, { triesPlain: true })).toBe(true);
  });

  it('is judged by what came of late', () => {
    const link = linkOf({ roundTripMs: 30, plain: 100, deflated: 20 });
    expect(deflatePays(link, { triesPlain: true })).toBe(false);
    // The link got slow.
    for (let count = 0; count < 20; count += 1) noteTransfer(link, 'plain', { bytes: 20 * mib, waitedMs: 10_000 });
    expect(deflatePays(link, { triesPlain: true })).toBe(true);
  });
});
