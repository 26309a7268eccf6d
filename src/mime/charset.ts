/** Bytes of unknown making to text. 7-bit needs no decision; UTF-8 proves itself; then what the mail says; then windows-1252. */

/** Stateful escapes (ISO-2022-JP, HZ) are 7-bit: they are only seen when the mail names them. */
export function decodeBytes(bytes: Buffer, charset: string | null): string {
  if (isAscii(bytes))
    return charset !== null && /^iso-2022/i.test(charset) && bytes.includes(27)
      ? named(bytes, charset)
      : bytes.toString('latin1');
  return utf8(bytes) ?? named(bytes, charset ?? 'windows-1252');
}

function isAscii(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 127) return false;
  return true;
}

function utf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null; // not UTF-8: the caller goes by the name it was given
  }
}

function named(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes); // a name nobody knows: every byte still shows
  }
}
