import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isOlder, oldestNode } from '../../../src/base/node-version.ts';

it.each([
  ['18.20.8', true],
  ['20.9.0', true],
  ['20.18.3', true],
  ['20.19.0', false],
  ['20.19.4', false],
  ['22.0.0', false],
  ['24.21.0', false],
])('Node %s is too old: %s', (version, expected) => {
  expect(isOlder(version, oldestNode)).toBe(expected);
});

it('the oldest Node is the one that package.json names', () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'));
  expect(`${engines.node}.0`).toBe(`>=${oldestNode}`);
});
