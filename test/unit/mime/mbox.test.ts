import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maildirBaseName, maildirFolderName, maildirInfo, parseMaildirName } from '../../../src/mime/maildir-name.ts';
import { mboxPiece } from '../../../src/mime/mbox.ts';

/** What a reader of mboxrd files does. */
function readMbox(file: string): string[] {
  return file
    .split(/^From .*\n/m)
    .slice(1)
    .map((piece) => piece.replace(/\n$/, '').replace(/^>(>*From )/gm, '$1'));
}

const line = fc.constantFrom('From me', '>From you', '>>From us', 'Fromage', '', 'text', ' From', 'From:');

describe('an mbox', () => {
  it('gives back every message, whatever lines it has', () => {
    const mail = fc.array(line, { minLength: 1 }).map((lines) => `Subject: x\n${lines.join('\n')}\n`);
    fc.assert(
      fc.property(fc.array(mail), fc.boolean(), (mails, isCrlf) => {
        const pieces = mails.map((text) =>
          mboxPiece(Buffer.from(isCrlf ? text.replaceAll('\n', '\r\n') : text), { sender: null, receivedAt: null }),
        );
        expect(readMbox(Buffer.concat(pieces).toString())).toEqual(mails);
      }),
    );
  });
  it('begins each with sender and time, and a sender that is no address is nobody', () => {
    const first = (sender: string | null): string =>
      mboxPiece(Buffer.from('x'), { sender, receivedAt: '2026-11-04T12:05:06.000Z' }).toString().split('\n')[0] ?? '';
    expect(first('anna@example.com')).toBe('From anna@example.com Wed Nov 04 12:05:06 2026');
    expect(first('a b\nFrom c')).toBe('From MAILER-DAEMON Wed Nov 04 12:05:06 2026');
  });
  it('keeps bytes that are no text', () => {
    const raw = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const piece = mboxPiece(raw, { sender: null, receivedAt: null });
    expect(piece.subarray(piece.indexOf(10) + 1, -2).equals(raw)).toBe(true);
  });
});

describe('names in a Maildir', () => {
  it('say what they need to be known by again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.nat(), (id, bytes) => {
        const name = `${maildirBaseName({ id, bytes, receivedAt: '2026-11-24T12:00:00.000Z' })}:${maildirInfo('\\Seen')}`;
        expect(parseMaildirName(name)).toEqual({ id, bytes });
      }),
    );
    expect(parseMaildirName('1382298793.002271:2,')).toBeNull();
  });
  it('have the flags in the order of ASCII', () => {
    expect(maildirInfo('\\Seen \\Flagged $Forwarded \\Answered \\Draft \\Deleted Junk')).toBe('2,DFPRST');
    expect(maildirInfo('')).toBe('2,');
  });
  it('of folders follow Maildir++', () => {
    expect(maildirFolderName('INBOX', '/')).toBe('');
    expect(maildirFolderName('INBOX/Work', '/')).toBe('.Work');
    expect(maildirFolderName('Work/2026.11', '/')).toBe('.Work.2026&AC4-11');
    expect(maildirFolderName('Wysłane', null)).toBe('.Wys&AUI-ane');
    expect(maildirFolderName('ınbox/Work', '/')).toBe('.&ATE-nbox.Work');
  });
  it('of folders are one harmless entry each, whatever a server calls them, and different for different folders', () => {
    const path = fc.string({ unit: fc.oneof(fc.constantFrom('.', '/', '..', '\0', '\n', '~', 'é', '&'), fc.string()) });
    const key = (text: string): string => text.toWellFormed().replace(/^inbox(\/|$)/i, '');
    fc.assert(
      fc.property(path, path, (one, other) => {
        const name = maildirFolderName(one, '/');
        expect(name).toMatch(/^(\.[A-Za-z0-9 _+=@()&,~-]+)*$/);
        expect(name.length).toBeLessThan(255);
        if (key(one) !== key(other)) expect(maildirFolderName(other, '/')).not.toBe(name);
      }),
    );
  });
});
