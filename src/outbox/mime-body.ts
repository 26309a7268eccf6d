/** Bodies in a transfer encoding that every server passes on (RFC 2045 6): 7bit, quoted-printable or base64. Pure. */
import { isAscii } from 'node:buffer';
import { encode, wrap } from 'nodemailer/lib/qp';

export interface EncodedBody {
  readonly encoding: '7bit' | '8bit' | 'quoted-printable' | 'base64';
  readonly content: string | Buffer;
}

/** RFC 5322 2.1.1, without the line end. */
const lineOctetsMax = 998;
const base64LineChars = 76;

/** Lines end in CRLF. Other scripts than Latin are shorter in base64. */
export function encodeText(text: string): EncodedBody {
  const lines = withLineEnd(text.replace(/\r\n|\r|\n/g, '\r\n'));
  if (/^[\t\r\n\x20-\x7e]*$/.test(lines) && !hasLongLine(lines)) return { encoding: '7bit', content: lines };
  const foreign = lines.match(/[^\x09\x0a\x0d\x20-\x7e]/g)?.length ?? 0;
  if (foreign > lines.length / 3) return { encoding: 'base64', content: base64(Buffer.from(lines, 'utf8')) };
  return { encoding: 'quoted-printable', content: wrap(encode(lines), base64LineChars) };
}

const withLineEnd = (text: string): string => (text.endsWith('\r\n') ? text : `${text}\r\n`);

const hasLongLine = (text: string): boolean =>
  text.length > lineOctetsMax && text.split('\r\n').some((line) => line.length > lineOctetsMax);

/** A mail inside a mail may not be encoded (RFC 2046 5.2.1); everything else is base64, byte for byte. */
export function encodeAttachment(bytes: Buffer, contentType: string): EncodedBody {
  if (!/^message\//i.test(contentType)) return { encoding: 'base64', content: base64(bytes) };
  const text = withLineEnd(bytes.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'));
  return { encoding: isAscii(bytes) && !hasLongLine(text) ? '7bit' : '8bit', content: Buffer.from(text, 'latin1') };
}

function base64(bytes: Buffer): string {
  const text = bytes.toString('base64');
  return text === '' ? '' : `${text.replace(/.{76}(?=.)/g, '$&\r\n')}\r\n`;
}
