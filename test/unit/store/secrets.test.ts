import { createCipheriv, createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { dropOldKeyFile, swapKey } from '../../../src/store/key-file.ts';
import { createSecrets } from '../../../src/store/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'backproc-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));
const one = { acntid: 1, field: 'password' };
const failing = (code: string): unknown => expect.objectContaining({ code });

describe('a sealed password', () => {
  const file = join(folder, 'one/secret.key');
  const secrets = createSecrets(file);

  it('opens for its account, and for no other', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1e9 }), (password, acntid) => {
        const sealed = secrets.seal({ acntid, field: 'password' }, password.toWellFormed());
        expect(createSecrets(file).unseal({ acntid, field: 'password' }, sealed)).toBe(password.toWellFormed());
        expect(() => secrets.unseal({ acntid: acntid + 1, field: 'password' }, sealed)).toThrow(
          failing('secret_unreadable'),
        );
      }),
    );
  });

  it('is another each time, and opens no more when one bit of it changed', () => {
    const sealed = Buffer.from(secrets.seal(one, 'pw'));
    expect(Buffer.from(secrets.seal(one, 'pw')).equals(sealed)).toBe(false);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => secrets.unseal(one, changed)).toThrow(failing('secret_unreadable'));
    }
  });

  it('has a key file that only its owner reads, and nothing beside it', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'one'))).toEqual(['secret.key']);
  });
});

describe('what a secret is sealed for', () => {
  it('is its field too, and the key of then: nothing else opens it', () => {
    const secrets = createSecrets(join(folder, 'fields.key'));
    fc.assert(
      fc.property(fc.string(), fc.string(), (field, other) => {
        fc.pre(field !== other);
        const sealed = secrets.seal({ acntid: 1, field }, 'x');
        expect(() => secrets.unseal({ acntid: 1, field: other }, sealed)).toThrow(failing('secret_unreadable'));
      }),
    );
  });

  it('has kept its form: version 0.1 wrote account, `password` and key id, in this order', () => {
    const file = join(folder, 'before.key');
    const key = Buffer.alloc(32, 7);
    writeFileSync(file, key, { mode: 0o600 });
    const keyId = createHash('sha256').update(key).digest().subarray(0, 4);
    const nonce = Buffer.alloc(12, 1);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    cipher.setAAD(Buffer.from(`account:53|password|${keyId.toString('hex')}`));
    const text = Buffer.concat([cipher.update('geheim', 'utf8'), cipher.final()]);
    const sealed = Buffer.concat([keyId, nonce, cipher.getAuthTag(), text]);
    expect(createSecrets(file).unseal({ acntid: 53, field: 'password' }, sealed)).toBe('geheim');
  });
});

describe('a change of keys', () => {
  /** Ends after `steps` steps, as a kill would. */
  const swapUpTo = (file: string, steps: number): void => {
    let count = 0;
    const step = (): void => {
      count += 1;
      if (count === steps) throw new Error('killed');
    };
    expect(() => swapKey(file, step)).toThrow('killed');
  };

  it.each([1, 2, 3])('cut off after step %i leaves both keys readable, and goes on to one new key', (steps) => {
    const file = join(folder, `swap-${steps}/secret.key`);
    const before = createSecrets(file);
    const sealed = before.seal(one, 'pw');
    const oldKey = readFileSync(file);
    swapUpTo(file, steps);
    expect(createSecrets(file).unseal(one, sealed)).toBe('pw');
    const meanwhile = createSecrets(file).seal(one, 'meanwhile');
    swapKey(file, () => undefined);
    const after = createSecrets(file);
    expect([after.unseal(one, sealed), after.unseal(one, meanwhile)]).toEqual(['pw', 'meanwhile']);
    expect(readFileSync(`${file}.old`).equals(oldKey)).toBe(true);
    expect(after.isCurrent(sealed)).toBe(false);
    // Who knew the old key from before seals with the new one, too.
    expect(after.isCurrent(before.seal(one, 'x'))).toBe(true);
    dropOldKeyFile(file);
    expect(readdirSync(join(folder, `swap-${steps}`))).toEqual(['secret.key']);
    expect(() => createSecrets(file).unseal(one, sealed)).toThrow(failing('secret_unreadable'));
  });
});

describe('a key file', () => {
  it('that others can read is refused', () => {
    const file = join(folder, 'open.key');
    createSecrets(file).seal(one, 'pw');
    chmodSync(file, 0o644);
    expect(() => createSecrets(file).seal(one, 'pw')).toThrow(failing('secret_key_unsafe'));
  });

  it('that is missing or cut short is never replaced by another', () => {
    const file = join(folder, 'short.key');
    const sealed = createSecrets(file).seal(one, 'pw');
    writeFileSync(file, 'short');
    expect(() => createSecrets(file).unseal(one, sealed)).toThrow(failing('secret_unreadable'));
    rmSync(file);
    expect(() => createSecrets(file).unseal(one, sealed)).toThrow(failing('secret_unreadable'));
  });
});
