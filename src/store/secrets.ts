/**
 * Passwords at rest: AES-256-GCM under a key in a file of its own, so that a copy of the database alone opens no mailbox.
 * The account's number and the key's id are authenticated with it: a sealed password moved to another row does not open.
 * Throws `secret_key_unsafe` when others can read the key file, `secret_unreadable` when a password cannot be decrypted.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../base/errors.ts';

export interface Secrets {
  /** Creates the key file at first use. */
  seal(acntid: number, password: string): Uint8Array;
  unseal(acntid: number, sealed: Uint8Array): string;
}

const keyBytes = 32;
const keyIdBytes = 4;
/** NIST SP 800-38D: 96-bit nonces; 16-byte tags, never shorter. */
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = keyIdBytes + nonceBytes + tagBytes;

/** Sealed form: key id, nonce, tag, ciphertext. The key file is read when first needed, and once. */
export function createSecrets(keyFile: string): Secrets {
  let known: Buffer | undefined;
  const load = (read: (file: string) => Buffer): Buffer => {
    known ??= read(keyFile);
    return known;
  };
  return {
    seal: (acntid, password) => seal(load(readOrCreateKey), acntid, password),
    unseal: (acntid, sealed) => unseal(load(readKey), acntid, Buffer.from(sealed)),
  };
}

function seal(key: Buffer, acntid: number, password: string): Uint8Array {
  const keyId = keyIdOf(key);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(acntid, keyId));
  const text = Buffer.concat([cipher.update(password, 'utf8'), cipher.final()]);
  return Buffer.concat([keyId, nonce, cipher.getAuthTag(), text]);
}

function unseal(key: Buffer, acntid: number, sealed: Buffer): string {
  const keyId = sealed.subarray(0, keyIdBytes);
  if (!keyId.equals(keyIdOf(key)))
    throw unreadable(`account ${acntid}: sealed with key ${keyId.toString('hex')}, not this one`);
  const nonce = sealed.subarray(keyIdBytes, keyIdBytes + nonceBytes);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(boundTo(acntid, keyId));
    decipher.setAuthTag(sealed.subarray(keyIdBytes + nonceBytes, headBytes));
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw unreadable(`account ${acntid}: damaged, or of another account`, error);
  }
}

const keyIdOf = (key: Buffer): Buffer => createHash('sha256').update(key).digest().subarray(0, keyIdBytes);

const boundTo = (acntid: number, keyId: Buffer): Buffer =>
  Buffer.from(`account:${acntid}|password|${keyId.toString('hex')}`);

const unreadable = (detail: string, cause?: unknown): EngineError =>
  new EngineError('secret_unreadable', detail, { cause });

function readOrCreateKey(file: string): Buffer {
  if (existsSync(file)) return readKey(file);
  try {
    return createKey(file);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return readKey(file);
    throw error;
  }
}

/** Whole or not at all: written beside, then linked to its name. Of two starters one creates, the other reads. */
function createKey(file: string): Buffer {
  mkdirSync(dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const key = randomBytes(keyBytes);
  try {
    writeDurably(beside, key);
    linkSync(beside, file);
    return key;
  } finally {
    rmSync(beside, { force: true });
  }
}

function writeDurably(file: string, bytes: Buffer): void {
  const handle = openSync(file, 'wx', 0o600);
  try {
    writeSync(handle, bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function readKey(file: string): Buffer {
  try {
    refuseUnsafe(file);
    const key = readFileSync(file);
    if (key.length !== keyBytes) throw unreadable(`${file} holds ${key.length} bytes, expected ${keyBytes}`);
    return key;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw unreadable(`${file} is missing`, error);
    throw error;
  }
}

/** Windows has no such bits; there the folder's access list decides. */
function refuseUnsafe(file: string): void {
  const mode = statSync(file).mode & 0o777;
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new EngineError('secret_key_unsafe', `${file} has mode 0${mode.toString(8)}`);
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
