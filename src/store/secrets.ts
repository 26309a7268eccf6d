/**
 * Passwords at rest: AES-256-GCM, a fresh 96-bit nonce each time, account and field as additional data, so that a sealed
 * password copied to another row does not open there. The key lies in a file of its own with mode 0600, made at first use.
 * Layout of a sealed value: version 1, nonce (12), tag (16), ciphertext.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../base/errors.ts';

export interface Secrets {
  seal(acntid: number, field: string, text: string): Buffer;
  /** Throws secret_unreadable. */
  open(acntid: number, field: string, sealed: Uint8Array): string;
}

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const cipherName = 'aes-256-gcm';

/** The key is read, or made, when it is first needed. */
export function createSecrets(keyFile: string): Secrets {
  let key: Buffer | null = null;
  const keyOf = (): Buffer => {
    key ??= readOrMakeKey(keyFile);
    return key;
  };
  return {
    seal(acntid, field, text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(cipherName, keyOf(), nonce, { authTagLength: tagBytes });
      cipher.setAAD(additionalData(acntid, field));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), sealed]);
    },
    open(acntid, field, sealed) {
      try {
        const nonce = sealed.subarray(1, 1 + nonceBytes);
        const decipher = createDecipheriv(cipherName, keyOf(), nonce, { authTagLength: tagBytes });
        decipher.setAAD(additionalData(acntid, field));
        decipher.setAuthTag(sealed.subarray(1 + nonceBytes, 1 + nonceBytes + tagBytes));
        return Buffer.concat([decipher.update(sealed.subarray(1 + nonceBytes + tagBytes)), decipher.final()]).toString('utf8');
      } catch (error) {
        if (error instanceof EngineError) throw error;
        throw new EngineError('secret_unreadable', `account ${acntid}, key file ${keyFile}`);
      }
    },
  };
}

const additionalData = (acntid: number, field: string): Buffer => Buffer.from(`account:${acntid}|${field}|v${version}`);

function readOrMakeKey(file: string): Buffer {
  makeKey(file);
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) throw new EngineError('secret_key_unsafe', file);
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
  if (key.length !== 32) throw new EngineError('secret_unreadable', `${file} is not a key of 64 hex digits`);
  return key;
}

/** O_EXCL: of two processes at first use one makes the key, the other reads it. */
function makeKey(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o770 });
  const fd = openExclusively(file);
  if (fd === null) return;
  writeSync(fd, `${randomBytes(32).toString('hex')}\n`);
  fsyncSync(fd);
  closeSync(fd);
}

function openExclusively(file: string): number | null {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return null;
    throw new EngineError('store_io', `${file} cannot be made`, { cause: error });
  }
}
