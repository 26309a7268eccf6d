/** `account test`: what an SMTP server says when one logs in. No mail is begun. */
import { openSmtp } from './open-session.ts';
import type { SmtpOptions } from './session.ts';

export interface SmtpProbe {
  /** False: the server offers no login. */
  readonly isLoggedIn: boolean;
  /** Of EHLO, as far as they matter to us. */
  readonly capabilities: readonly string[];
  /** RFC 1870; null: it names none. */
  readonly sizeBytesMax: number | null;
}

export async function probeSmtpServer(options: SmtpOptions): Promise<SmtpProbe> {
  const session = await openSmtp(options);
  await session.close();
  const { hasAuth, hasSmtpUtf8, has8BitMime, hasPipelining, sizeBytesMax } = session.capabilities;
  const known = { '8BITMIME': has8BitMime, PIPELINING: hasPipelining, SMTPUTF8: hasSmtpUtf8 };
  const capabilities = Object.entries(known).flatMap(([name, has]) => (has ? [name] : []));
  return { isLoggedIn: hasAuth, capabilities, sizeBytesMax };
}
