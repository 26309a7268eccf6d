import { describe, expect, it } from 'vitest';
import { isNewer } from '../../../../src/engine/launch/version.ts';

describe('a version', () => {
  it.each([
    ['1.2.3', '1.2.2', true],
    ['1.10.0', '1.9.9', true],
    ['2.0.0', '2.0.0-beta.1', true],
    ['2.0.0-beta.1', '2.0.0', false],
    ['1.2.3', '1.2.3', false],
    ['0.9.0', '1.0.0', false],
    ['latest', '1.0.0', false],
    ['1.0.0', 'unknown', false],
  ])('%s is newer than %s: %s', (a, b, expected) => {
    expect(isNewer(a, b)).toBe(expected);
  });
});
