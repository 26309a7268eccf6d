import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from '../../../../src/engine/launch/lock.ts';

describe('a lock file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'backproc-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is held once at a time', async () => {
    const file = join(folder, 'store', 'mail.db.lock');
    const lock = await acquireLock(file);
    expect([lock?.isHeld(), await acquireLock(file)]).toEqual([true, null]);
    lock?.release();
    (await acquireLock(file))?.release();
  });

  it('that cannot be made, as in a folder that is read-only, is trouble with the store and no defect', async () => {
    mkdirSync(join(folder, 'mail.db.lock'));
    writeFileSync(join(folder, 'file'), '');
    for (const file of [join(folder, 'mail.db.lock'), join(folder, 'file', 'mail.db.lock')])
      await expect(acquireLock(file)).rejects.toMatchObject({
        code: 'store_io',
        detail: expect.stringContaining(file),
      });
  });
});
