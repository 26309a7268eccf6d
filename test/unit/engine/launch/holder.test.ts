/** The record of who holds the lock, where its folders can't be used. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { describeSelf, holderFileOf, readHolder, writeHolder } from '../../../../src/engine/launch/holder.ts';

const folder = mkdtempSync(join(tmpdir(), 'backproc-holder-'));
afterEach(() => rmSync(folder, { recursive: true }));

it('a pid folder that is a file stops neither the engine nor its beats', () => {
  const storeFile = join(folder, 'mail.db');
  const pidFolder = join(folder, 'pid');
  writeFileSync(pidFolder, '');
  const record = describeSelf({ node: process.version, version: '1.0.0', startedAt: '', control: null });
  const files = writeHolder(storeFile, pidFolder, record);
  rmSync(holderFileOf(storeFile));
  files.beat();
  expect(readHolder(storeFile)?.record).toEqual(record);
  files.remove();
  expect(existsSync(holderFileOf(storeFile))).toBe(false);
});
