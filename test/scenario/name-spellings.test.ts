/** Folder names that servers list in another spelling than the one that RFC 3501 5.1.3 allows, or that are nearly the same. */
import { describe, expect, it } from 'vitest';
import { folder } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

describe('folder names', () => {
  // `cafÃ©`: raw UTF-8, byte by byte.
  const unusual = [
    'cafÃ©',
    '&ZeU-&Zyw-',
    '&AEE-&AOk-',
    '&AEI-&-c',
    'R&D',
    '&AGE-',
    'del&AH8-x',
    'raw\x7f',
    '&,v9lAA-x',
  ];
  const decoded = ['INBOX', 'café', '日本', 'Aé', 'B&c', 'R&D', 'a', 'del\x7fx', 'raw\x7f', '\ufeff攀x'];

  it.each([['LIST-STATUS'], ['IDLE']])(
    'in other spellings than the usual one are asked for as they were listed (%s)',
    async (extension) => {
      const scenario = await startScenario({
        folders: ['INBOX', ...unusual].map((name, index) => folder(name, index + 1)),
        capabilities: ['CONDSTORE', 'ENABLE', extension],
      });
      expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
      const counts = scenario.installation.query<{ path: string; message_count: number }>(
        'SELECT path, message_count FROM email_folders ORDER BY message_count',
      );
      expect(counts).toEqual(decoded.map((path, index) => ({ path, message_count: index + 1 })));
      await scenario.expectIdle();
    },
  );

  it('are taken as they are where the session is in UTF-8', async () => {
    const scenario = await startScenario({
      folders: ['INBOX', 'cafÃ©', 'R&D', 'R&-D', '&AOk-'].map((name, index) => folder(name, index + 1)),
      capabilities: ['CONDSTORE', 'ENABLE', 'UTF8=ACCEPT', 'LIST-STATUS'],
    });
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    const rows = scenario.installation.query<{ path: string }>('SELECT path FROM email_folders ORDER BY message_count');
    expect(rows.map(({ path }) => path)).toEqual(['INBOX', 'café', 'R&D', 'R&-D', '&AOk-']);
    await scenario.expectIdle();
  });

  it('that the library takes for one are two, in whatever order they are listed', async () => {
    const names = ['INBOX', '&,v8-bom', 'bom', 'ab', 'a&,v8-b', '&AGE-', 'a', '&ATE-nbox', '&AEk-nbox', '&,v8-'];
    for (const order of [names, [...names].reverse()]) {
      const scenario = await startScenario({
        folders: order.map((name) =>
          folder(name, names.indexOf(name) + 1, { uidValidity: 1000 + names.indexOf(name) }),
        ),
      });
      expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
      const rows = scenario.installation.query<{ path: string }>(
        'SELECT path FROM email_folders ORDER BY message_count',
      );
      const expected = ['INBOX', '\ufeffbom', 'bom', 'ab', 'a\ufeffb', '&AGE-', 'a', 'ınbox', '&AEk-nbox', '\ufeff'];
      expect(rows.map(({ path }) => path)).toEqual(expected);
      const verified = await scenario.installation.run('verify', String(scenario.acntid), '--deep');
      expect(verified).toMatchObject({ code: 0, stderr: '' });
      await scenario.expectIdle();
    }
  });
});
