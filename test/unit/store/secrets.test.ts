import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createSecrets } from '../../../src/store/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'backproc-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));
const failing = (code: string): unknown => expect.objectContaining({ code });

describe('a sealed password', () => {
  const file = join(folder, 'one/secret.key');
  const secrets = createSecrets(file);

  it('opens for its account, and for no other', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1e9 }), (password, acntid) => {
        const sealed = secrets.seal(acntid, password.toWellFormed());
        expect(createSecrets(file).unseal(acntid, sealed)).toBe(password.toWellFormed());
        expect(() => secrets.unseal(acntid + 1, sealed)).toThrow(failing('secret_unreadable'));
      }),
    );
  });

  it('is another each time, and opens no more when one bit of it changed', () => {
    const sealed = Buffer.from(secrets.seal(1, 'pw'));
    expect(Buffer.from(secrets.seal(1, 'pw')).equals(sealed)).toBe(false);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => secrets.unseal(1, changed)).toThrow(failing('secret_unreadable'));
    }
  });

  it('has a key file that only its owner reads, and nothing beside it', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'one'))).toEqual(['secret.key']);
  });
});

describe('a key file', () => {
  it('that others can read is refused', () => {
    const file = join(folder, 'open.key');
    createSecrets(file).seal(1, 'pw');
    chmodSync(file, 0o644);
    expect(() => createSecrets(file).seal(1, 'pw')).toThrow(failing('secret_key_unsafe'));
  });

  it('that is missing or cut short is never replaced by another', () => {
    const file = join(folder, 'short.key');
    const sealed = createSecrets(file).seal(1, 'pw');
    writeFileSync(file, 'short');
    expect(() => createSecrets(file).unseal(1, sealed)).toThrow(failing('secret_unreadable'));
    rmSync(file);
    expect(() => createSecrets(file).unseal(1, sealed)).toThrow(failing('secret_unreadable'));
  });
});
