/** Folder names, delimiters and listings as hostile servers send them (RELIABILITY faults 18 and 32, issue "Folders"). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FakeOptions } from '../support/fake-imap-server.ts';
import { type FakeFolder, folder, message } from '../support/fake-mailbox.ts';
import { type Scenario, startScenario } from './scenario.ts';

/** Seconds: the tests run beside each other, and nothing in them depends on a deadline. */
const calm = { EMAIL_NETWORK_TIMEOUT: 10 };

const paths = (scenario: Scenario): string[] =>
  scenario.installation
    .query<{ path: string }>('SELECT path FROM email_folders WHERE retired_at IS NULL ORDER BY emfdid')
    .map(({ path }) => path);

describe.concurrent('folder names', () => {
  it('with quotes, wildcards, control characters, newlines, escapes and paths are kept and copied', async ({
    onTestFinished,
  }) => {
    const names = [
      'INBOX',
      'a"b',
      'c\\d',
      '%',
      '*',
      '../../etc/passwd',
      'tab\there',
      '&AAo-new&AA0-line',
      '&IC4-bidi&IC4-',
      '&ZeVnLIqe-/&U,BTFw-',
      'esc&ABs-[31m',
      '~x',
      ' leading',
      'trailing ',
      'AT&-T',
      'a,b] [1,2]',
    ];
    const scenario = await startScenario({ folders: names.map((name) => folder(name, 2)) }, calm, onTestFinished);
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    expect(paths(scenario)).toContain('\nnew\rline');
    expect(paths(scenario)).toContain('日本語/台北');
    const again = await scenario.sync('--full');
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(scenario.differences()).toEqual([]);
    const logs = join(scenario.installation.folder, 'logs');
    const lines = readdirSync(logs).flatMap((file) => readFileSync(join(logs, file), 'utf8').trimEnd().split('\n'));
    expect(lines.length).toBeGreaterThan(names.length - 1);
    for (const line of lines) {
      expect(line).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]\[#\d+\.t\d+\] .*$/);
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
    }
    const table = await scenario.installation.run('folder', 'list', String(scenario.acntid));
    expect(table.code).toBe(0);
    expect(table.stdout).not.toContain('\u001b');
  });

  it('with a raw newline or NUL in a literal stop nothing else', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 3), folder('two\r\nlines', 2), folder('nul\0name', 2), folder('Other', 3)],
      },
      calm,
      onTestFinished,
    );
    await scenario.sync();
    const lost = scenario.differences().filter((line) => /INBOX|Other/.test(line));
    expect(lost).toEqual([]);
  });

  it('listed twice as INBOX and inbox are one folder', async ({ onTestFinished }) => {
    const scenario = await startScenario({ folders: [folder('INBOX', 3)] }, calm, onTestFinished);
    scenario.server.script = ({ verb, args, tag }, honest) =>
      verb === 'LIST' && !args.startsWith('"" ""') && !args.includes('LSUB')
        ? { parts: ['* LIST () "/" inbox\r\n', ...honest.slice(0, -1), `${tag} OK done\r\n`] }
        : undefined;
    expect((await scenario.sync()).code).toBe(0);
    expect(paths(scenario)).toEqual(['INBOX']);
    expect(scenario.differences()).toEqual([]);
  });

  it('under INBOX. with a namespace prefix are opened by the names that were listed', async ({ onTestFinished }) => {
    const dotted = (path: string, count: number): FakeFolder => folder(path, count, { delimiter: '.' });
    const scenario = await startScenario(
      {
        folders: [dotted('INBOX', 3), dotted('INBOX.Sent', 2), dotted('INBOX.Archive.2026', 2)],
        script: ({ verb, tag }) =>
          verb === 'NAMESPACE'
            ? { parts: ['* NAMESPACE (("INBOX." ".")) NIL NIL\r\n', `${tag} OK done\r\n`] }
            : undefined,
      },
      calm,
      onTestFinished,
    );
    expect((await scenario.sync()).code).toBe(0);
    expect(paths(scenario).sort()).toEqual(['INBOX', 'INBOX.Archive.2026', 'INBOX.Sent']);
    expect(scenario.differences()).toEqual([]);
  });

  it('are not prefixed with what a server without NAMESPACE answers to LIST "" ""', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 2), folder('Plain', 2)],
        capabilities: ['CONDSTORE', 'LIST-STATUS'],
        script: ({ verb, args, tag }) =>
          verb === 'LIST' && args.startsWith('"" ""')
            ? { parts: ['* LIST (\\Noselect) "/" "wrong/"\r\n', `${tag} OK done\r\n`] }
            : undefined,
      },
      calm,
      onTestFinished,
    );
    expect((await scenario.sync()).code).toBe(0);
    expect(paths(scenario).sort()).toEqual(['INBOX', 'Plain']);
    expect(scenario.differences()).toEqual([]);
  });

  it('without a hierarchy (NIL delimiter), and containers that hold no mail, are copied', async ({
    onTestFinished,
  }) => {
    const scenario = await startScenario(
      {
        folders: [
          folder('INBOX', 2, { delimiter: null }),
          folder('flat/name', 2, { delimiter: null }),
          folder('Container', 0, { attributes: ['\\Noselect'] }),
          folder('Container/Inside', 2),
        ],
      },
      calm,
      onTestFinished,
    );
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    expect(scenario.server.commands.some((command) => /EXAMINE "?Container"?$/.test(command))).toBe(false);
  });
});

describe.concurrent('a listing', () => {
  it('that is empty, or lacks folders once, deletes nothing', async ({ onTestFinished }) => {
    const [inbox, other, third] = [folder('INBOX', 3), folder('Other', 3), folder('Third', 3)];
    const scenario = await startScenario({ folders: [inbox, other, third] }, calm, onTestFinished);
    await scenario.sync();
    scenario.server.folders.length = 0;
    await scenario.sync();
    scenario.server.folders.push(inbox);
    await scenario.sync();
    const live = scenario.installation.query('SELECT id FROM email_messages WHERE vanished_at IS NULL');
    expect(live).toHaveLength(9);
    scenario.server.folders.push(other, third);
    await scenario.expectTrueCopy();
    expect(scenario.installation.query('SELECT id FROM email_messages')).toHaveLength(9);
  });

  it('with a folder that cannot be opened leaves it alone, and copies the others', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 3), folder('Gone', 3), folder('Other', 3)],
        script: ({ verb, args, tag }) =>
          verb === 'EXAMINE' && args.includes('Gone')
            ? { parts: [`${tag} NO [NONEXISTENT] Mailbox doesn't exist: Gone\r\n`] }
            : undefined,
      },
      calm,
      onTestFinished,
    );
    const outcome = await scenario.sync();
    expect(outcome.code).toBe(75);
    expect(scenario.differences().every((line) => line.startsWith('lost: Gone'))).toBe(true);
    await scenario.expectTrueCopy();
  });

  it('that says 0 messages where there were thousands holds the deletions back', async ({ onTestFinished }) => {
    const inbox = folder('INBOX', 600);
    const scenario = await startScenario({ folders: [inbox] }, calm, onTestFinished);
    await scenario.sync();
    const { messages } = inbox;
    inbox.messages = [];
    await scenario.sync('--full');
    await scenario.sync('--full');
    const [row] = scenario.installation.query<{ emfdid: number; held_count: number }>(
      'SELECT emfdid, held_count FROM email_folders',
    );
    expect(row?.held_count).toBe(600);
    expect((await scenario.installation.run('verify', String(scenario.acntid))).code).toBe(0);
    inbox.messages = messages;
    await scenario.expectTrueCopy();
    expect(scenario.installation.query('SELECT held_count FROM email_folders')).toEqual([{ held_count: 0 }]);
    inbox.messages = [message(601)];
    inbox.uidNext = 602;
    await scenario.sync('--full');
    await scenario.installation.run('folder', 'approve-deletions', String(row?.emfdid));
    await scenario.expectTrueCopy();
  });
});

describe.concurrent('a name that is listed and cannot be opened', () => {
  /** As Dovecot 2.3 lists a folder that was deleted and has others below it. */
  const ghost = (path: string): FakeOptions['script'] => {
    return ({ verb, args, tag }, honest) => {
      if (verb === 'EXAMINE' && args.replaceAll('"', '') === path)
        return { parts: [`${tag} NO Mailbox doesn't exist: ${path} (0.001 + 0.000 secs).\r\n`] };
      if (verb !== 'LIST') return undefined;
      const at = honest.findIndex((part, index) => part === '* STATUS ' && honest[index + 1] === `"${path}"`);
      return { parts: [...honest.slice(0, at), `* NO Mailbox doesn't exist: ${path}\r\n`, ...honest.slice(at + 3)] };
    };
  };

  it('is a folder that is gone: retired at the second look, and back when it can be opened', async ({
    onTestFinished,
  }) => {
    const folders = [folder('INBOX', 3), folder('Parent', 3), folder('Parent/Child', 2)];
    const scenario = await startScenario({ folders }, calm, onTestFinished);
    await scenario.sync();
    const idsOf = (): unknown[] =>
      scenario.installation.query('SELECT id FROM email_messages WHERE vanished_at IS NULL');
    const before = idsOf();
    scenario.server.script = ghost('Parent');
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    expect(idsOf()).toEqual(before);
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    expect(idsOf()).toHaveLength(5);
    await scenario.expectIdle();
    await scenario.expectTrueCopy();
    expect(idsOf()).toEqual(before);
  });
});

describe.concurrent('a renamed folder', () => {
  const idsIn = ({ installation }: Scenario, path: string): unknown[] =>
    installation.query(
      `SELECT m.id FROM email_messages m JOIN email_folders f USING (emfdid)
        WHERE f.path = ? AND f.retired_at IS NULL AND m.vanished_at IS NULL ORDER BY m.uid`,
      path,
    );

  it('keeps its ids when mail came and went meanwhile', async ({ onTestFinished }) => {
    const old = folder('Old', 8, { uidValidity: 2000 });
    const scenario = await startScenario({ folders: [folder('INBOX', 2), old] }, calm, onTestFinished);
    await scenario.sync();
    const before = idsIn(scenario, 'Old');
    old.path = 'New';
    old.messages = [...old.messages.slice(1), message(9, 'Old')];
    old.uidNext = 10;
    await scenario.expectTrueCopy();
    expect(idsIn(scenario, 'New').slice(0, 7)).toEqual(before.slice(1));
  });

  it('keeps its ids when another took its name', async ({ onTestFinished }) => {
    const [a, b] = [folder('A', 4, { uidValidity: 2000 }), folder('B', 5, { uidValidity: 3000 })];
    const scenario = await startScenario({ folders: [folder('INBOX', 2), a, b] }, calm, onTestFinished);
    await scenario.sync();
    const before = [idsIn(scenario, 'A'), idsIn(scenario, 'B')];
    [a.path, b.path] = [b.path, a.path];
    await scenario.expectTrueCopy();
    expect([idsIn(scenario, 'B'), idsIn(scenario, 'A')]).toEqual(before);
  });

  it('is told from a new one that has the same numbers and other mail', async ({ onTestFinished }) => {
    const folders = [folder('INBOX', 2), folder('Old', 3)];
    const scenario = await startScenario({ folders }, calm, onTestFinished);
    await scenario.sync();
    folders.splice(1, 1, folder('New', 3));
    scenario.server.folders.splice(0, 9, ...folders);
    await scenario.sync();
    await scenario.expectTrueCopy();
  });
});

describe.concurrent('a folder deleted with others below it', () => {
  it('that is listed as a container from then on keeps no mail', async ({ onTestFinished }) => {
    const parent = folder('Parent', 3, { uidValidity: 2000 });
    const scenario = await startScenario(
      { folders: [folder('INBOX', 2), parent, folder('Parent/Child', 2)] },
      calm,
      onTestFinished,
    );
    await scenario.sync();
    parent.attributes = ['\\NonExistent', '\\HasChildren'];
    parent.messages = [];
    await scenario.sync();
    scenario.server.folders.splice(1, 1, { ...parent, attributes: ['\\Noselect'] });
    await scenario.expectTrueCopy();
    expect(await scenario.installation.run('verify', String(scenario.acntid))).toMatchObject({ code: 0 });
  });
});
