/**
 * A message as a piece of an mbox file, in the mboxrd form (RFC 4155, and the one form whose quoting can be undone): lines that
 * begin with any number of `>` and `From ` get one `>` more. Line ends become line feeds. Pure.
 */

export interface MboxEnvelope {
  readonly sender: string | null;
  /** UTC instant. */
  readonly receivedAt: string | null;
}

export function mboxPiece(raw: Buffer, envelope: MboxEnvelope): Buffer {
  const lines = raw.includes('\r\n') ? raw.toString('latin1').replaceAll('\r\n', '\n') : raw.toString('latin1');
  const quoted = lines.includes('From ') ? lines.replace(/(^|\n)(>*From )/g, '$1>$2') : lines;
  const end = quoted.endsWith('\n') ? '\n' : '\n\n';
  return Buffer.from(`${fromLine(envelope)}\n${quoted}${end}`, 'latin1');
}

/** asctime in UTC, as every reader of mbox files expects it. An address with a space in it would end early. */
function fromLine({ sender, receivedAt }: MboxEnvelope): string {
  const address = sender !== null && /^[\u0021-\u007e]+$/.test(sender) ? sender : 'MAILER-DAEMON';
  const [, weekday, day, month, year, time] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(receivedAt ?? 0).toUTCString()) ?? [];
  return `From ${address} ${weekday} ${month} ${day} ${time} ${year}`;
}
