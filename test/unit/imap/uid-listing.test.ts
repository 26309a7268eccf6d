import { describe, expect, it } from 'vitest';
import { isShortListing } from '../../../src/imap/uid-listing.ts';

describe('a listing is short', () => {
  it.each([
    [true, 'of a small folder', { messages: 100, uidNext: 90_000 }, 1],
    [true, 'of what little came to a large one', { messages: 5000, uidNext: 8100 }, 8000],
    [false, 'of much that came', { messages: 5000, uidNext: 8101 }, 8000],
    [false, 'where UIDNEXT is not told', { messages: 101, uidNext: null }, 1],
    [false, 'where UIDNEXT went back', { messages: 5000, uidNext: 10 }, 8000],
    [false, 'of nothing: some servers answer `1:*` with an error', { messages: 0, uidNext: 1 }, 1],
  ])('%s %s', (expected, _, numbers, first) => {
    expect(isShortListing(numbers, first)).toBe(expected);
  });
});
