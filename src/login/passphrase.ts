/**
 * Secrets in a file that travels: scrypt makes a key of a passphrase, AES-256-GCM seals with it. What the secrets belong to is
 * authenticated with them (`boundTo`), so that nobody can have them sent to another server by editing the rest of the file.
 * Throws `passphrase_wrong`.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { EngineError } from '../base/errors.ts';

const base64 = (bytes: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9+/]*={0,2}$/)
    .refine((text) => Buffer.from(text, 'base64').length === bytes, `expected ${bytes} bytes in base64`);

/** 128 MiB and about half a second for each guess. */
const cost = { n: 2 ** 17, r: 8, p: 1 };
/** Somebody else's file must not take all memory. */
const costMax = { n: 2 ** 20, r: 16, p: 4 };
const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

export const sealedSchema = z.strictObject({
  kdf: z.literal('scrypt'),
  n: z
    .number()
    .int()
    .min(2 ** 14)
    .max(costMax.n)
    .refine((n) => Number.isInteger(Math.log2(n)), 'expected a power of two'),
  r: z.number().int().min(1).max(costMax.r),
  p: z.number().int().min(1).max(costMax.p),
  salt: base64(saltBytes),
  cipher: z.literal('aes-256-gcm'),
  nonce: base64(nonceBytes),
  tag: base64(tagBytes),
  data: z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/),
});

export type Sealed = z.infer<typeof sealedSchema>;

const deriveKey = promisify<string, Buffer, number, object, Buffer>(scrypt);

async function keyOf(passphrase: string, salt: Buffer, { n, r, p }: typeof cost): Promise<Buffer> {
  // Node's own bound is 32 MiB; scrypt needs 128 * N * r bytes and a little.
  return deriveKey(passphrase.normalize('NFC'), salt, 32, { N: n, r, p, maxmem: 128 * n * r + 128 * r * p + 2 ** 20 });
}

const associated = (boundTo: string): Buffer => createHash('sha256').update(boundTo).digest();

export async function sealWithPassphrase(text: string, passphrase: string, boundTo: string): Promise<Sealed> {
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const key = await keyOf(passphrase, salt, cost);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associated(boundTo));
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return {
    kdf: 'scrypt',
    ...cost,
    salt: salt.toString('base64'),
    cipher: 'aes-256-gcm',
    nonce: nonce.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    data: data.toString('base64'),
  };
}

export async function openWithPassphrase(sealed: Sealed, passphrase: string, boundTo: string): Promise<string> {
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
  const key = await keyOf(passphrase, bytes(sealed.salt), sealed);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes(sealed.nonce), { authTagLength: tagBytes });
  decipher.setAAD(associated(boundTo));
  decipher.setAuthTag(bytes(sealed.tag));
  try {
    return Buffer.concat([decipher.update(bytes(sealed.data)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new EngineError('passphrase_wrong', '', { cause: error });
  }
}
