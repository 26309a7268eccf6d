/** Folder names that a real Dovecot takes and the IMAP library does not read, or spell, as they were made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dovecot, hasDovecot, startDovecot } from '../support/dovecot.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';
import { differences, mailRows, rowChanges } from '../support/oracle.ts';

/** A byte order mark at the beginning, inside, and beside another character; DEL; pairs that differ in nothing else. */
const names = [
  'bom',
  '&,v8-bom',
  'ab',
  'a&,v8-b',
  '&,v9lAA-x',
  'x&ZeX+,2cs-y',
  'x&ZeVnLA-y',
  'del&AH8-x',
  'delx',
  '&ATE-nbox',
];

describe.runIf(hasDovecot())('folders with names of every kind', () => {
  let dovecot: Dovecot;
  let installation: Installation;
  let acntid = 0;
  const sync = (...more: string[]): Promise<Outcome> => installation.run('sync', String(acntid), ...more);
  const judge = async (): Promise<string[]> => differences(installation, acntid, await dovecot.listing('anna'));
  const fill = async (about: string): Promise<void> => {
    const client = await dovecot.client('anna');
    for (const name of names) await client.append(name, [{ raw: Buffer.from(`Subject: ${about} ${name}\r\n\r\nx`) }]);
    await client.close();
  };

  beforeAll(async () => {
    dovecot = await startDovecot();
    installation = createInstallation();
    acntid = await installation.addAccount(dovecot.port, 'anna');
    const client = await dovecot.client('anna');
    for (const name of names) await client.command(`CREATE "${name}"`);
    await client.close();
    await fill('first');
  });
  afterAll(async () => {
    await dovecot?.stop();
    installation?.remove();
  });

  it('are copied, each into its own row', async () => {
    expect(await sync()).toMatchObject({ code: 0, stderr: '' });
    expect(await judge()).toEqual([]);
    expect(installation.query('SELECT 1 FROM email_folders')).toHaveLength(names.length + 1);
  });

  it('are followed, and verify finds them complete', async () => {
    await fill('second');
    expect(await sync()).toMatchObject({ code: 0, stderr: '' });
    expect(await judge()).toEqual([]);
    expect(await installation.command('verify', String(acntid), '--deep')).toMatchObject({ code: 0, stderr: '' });
  });

  it('are left as they are when nothing changed', async () => {
    const before = mailRows(installation);
    expect(await sync('--full')).toMatchObject({ code: 0, stderr: '' });
    expect(rowChanges(before, mailRows(installation))).toEqual([]);
  });
});
