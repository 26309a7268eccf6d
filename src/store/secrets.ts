/**
 * Secrets at rest: AES-256-GCM under a key in a file of its own, so that a copy of the database alone opens no mailbox. The
 * account's number, the field and the key's id are authenticated with it: a sealed value moved to another row or column does not
 * open. What seals is always the key that is in the file now; what opens is that key, or FILE.old while keys change.
 * Throws what key-file.ts throws, and `secret_unreadable` when a value cannot be decrypted.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { EngineError } from '../base/errors.ts';
import { oldKeyFile, readKey, readOrCreateKey, versionOf } from './key-file.ts';

/** Which secret it is. `field`: the column, and what else it is worth nothing without (where a token may be sent). */
export interface SecretPlace {
  readonly acntid: number;
  readonly field: string;
}

export interface Secrets {
  readonly keyFile: string;
  /** Creates the key file at first use. */
  seal(place: SecretPlace, text: string): Uint8Array;
  unseal(place: SecretPlace, sealed: Uint8Array): string;
  /** False: sealed with a key that is no longer the one that seals. */
  isCurrent(sealed: Uint8Array): boolean;
}

const keyIdBytes = 4;
/** NIST SP 800-38D: 96-bit nonces; 16-byte tags, never shorter. */
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = keyIdBytes + nonceBytes + tagBytes;

/** Sealed form: key id, nonce, tag, ciphertext. Key files are read when first needed, and again when they changed. */
export function createSecrets(keyFile: string): Secrets {
  const keys = createKeys(keyFile);
  return {
    keyFile,
    seal: (place, text) => seal(keys.current(), place, text),
    unseal: (place, sealed) => unseal(keys.byId(idOf(sealed), place), place, Buffer.from(sealed)),
    isCurrent: (sealed) => keyIdOf(keys.current()).equals(idOf(sealed)),
  };
}

interface Keys {
  current(): Buffer;
  byId(id: Buffer, place: SecretPlace): Buffer;
}

function createKeys(keyFile: string): Keys {
  const known = new Map<string, Buffer>();
  let version = '';
  let sealing: Buffer | undefined;
  const remember = (key: Buffer): Buffer => {
    known.set(keyIdOf(key).toString('hex'), key);
    return key;
  };
  return {
    // Asked inside the write transaction that stores what is sealed: after `secrets rotate` nothing is sealed with the old key.
    current() {
      if (sealing && version !== '' && versionOf(keyFile) === version) return sealing;
      sealing = remember(readOrCreateKey(keyFile));
      version = versionOf(keyFile);
      return sealing;
    },
    byId(id, place) {
      const name = id.toString('hex');
      if (!known.has(name)) remember(readKey(keyFile));
      if (!known.has(name) && existsSync(oldKeyFile(keyFile))) remember(readKey(oldKeyFile(keyFile)));
      const key = known.get(name);
      if (!key) throw unreadable(place, `sealed with key ${name}, not this one`);
      return key;
    },
  };
}

function seal(key: Buffer, place: SecretPlace, text: string): Uint8Array {
  const keyId = keyIdOf(key);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(place, keyId));
  const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([keyId, nonce, cipher.getAuthTag(), bytes]);
}

function unseal(key: Buffer, place: SecretPlace, sealed: Buffer): string {
  const nonce = sealed.subarray(keyIdBytes, keyIdBytes + nonceBytes);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(boundTo(place, keyIdOf(key)));
    decipher.setAuthTag(sealed.subarray(keyIdBytes + nonceBytes, headBytes));
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw unreadable(place, 'damaged, or not written for this place', error);
  }
}

const idOf = (sealed: Uint8Array): Buffer => Buffer.from(sealed).subarray(0, keyIdBytes);

const keyIdOf = (key: Buffer): Buffer => createHash('sha256').update(key).digest().subarray(0, keyIdBytes);

const boundTo = ({ acntid, field }: SecretPlace, keyId: Buffer): Buffer =>
  Buffer.from(`account:${acntid}|${field}|${keyId.toString('hex')}`);

const unreadable = ({ acntid, field }: SecretPlace, why: string, cause?: unknown): EngineError =>
  new EngineError('secret_unreadable', `account ${acntid}, ${field.split(' ')[0]}: ${why}`, { cause });
