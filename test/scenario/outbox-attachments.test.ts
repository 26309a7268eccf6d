/** Fault 42: no file outside the root leaves the machine, none that changed after the entry came in; a bad entry stops no other. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type OutboxScenario, startOutboxScenario } from './outbox-frame.ts';

const folder = mkdtempSync(join(tmpdir(), 'backproc-attach-'));
afterAll(() => rmSync(folder, { recursive: true }));
const root = join(folder, 'root');
const secret = 'the secret outside of the root';
mkdirSync(join(root, 'sub'), { recursive: true });
mkdirSync(join(folder, 'root-beside'));
const past = new Date(Date.now() - 60_000);
const put = (path: string, text = 'an invoice'): string => {
  writeFileSync(path, text);
  utimesSync(path, past, past);
  return path;
};
put(join(folder, 'secret.txt'), secret);
put(join(folder, 'root-beside', 'secret.txt'), secret);
put(join(root, 'sub', 'invoice.pdf'));
put(join(root, 'large.bin'));
truncateSync(join(root, 'large.bin'), 40_000_000);
utimesSync(join(root, 'large.bin'), past, past);
symlinkSync(join(folder, 'secret.txt'), join(root, 'link.txt'));
symlinkSync(folder, join(root, 'linked'));
symlinkSync(join(root, 'sub'), join(root, 'inside'));
linkSync(join(folder, 'secret.txt'), join(root, 'hard.txt'));
execFileSync('/usr/bin/mkfifo', [join(root, 'pipe')]);

const start = (): Promise<OutboxScenario> =>
  startOutboxScenario({ settings: { attachmentRoot: root }, sentCopy: 'off' });
const withFile = (path: string, more: object = {}) => ({ attachments: JSON.stringify([{ path, ...more }]) });
const bytesIn = ({ smtp }: OutboxScenario, text: string): boolean =>
  smtp.sink.some(({ raw }) => raw.includes(text) || raw.includes(Buffer.from(text).toString('base64').slice(0, 20)));

describe('attachments by path', () => {
  it('under the root go out, and what was read is recorded', async () => {
    const scenario = await start();
    const ids = ['sub/invoice.pdf', join(root, 'sub', 'invoice.pdf')].map((path) =>
      scenario.mail('bob@example.com', withFile(path)),
    );
    await scenario.outbox.drain();
    expect(ids.map((id) => scenario.entry(id).state)).toEqual(['delivered', 'delivered']);
    expect(scenario.smtp.sink[0]?.raw.toString()).toMatch(/filename=invoice\.pdf[\s\S]*YW4gaW52b2ljZQ==/);
    const sha256 = createHash('sha256').update('an invoice').digest('hex');
    const [row] = scenario.query<{ attachments: string }>('SELECT attachments FROM email_outbox');
    expect(JSON.parse(row?.attachments ?? '')).toEqual([{ path: 'sub/invoice.pdf', size: 10, sha256 }]);
  });

  it.each([
    ['../secret.txt', 'not under'],
    ['sub/../../secret.txt', 'not under'],
    ['..\\secret.txt', 'not under'],
    [join(folder, 'secret.txt'), 'not under'],
    [join(folder, 'root-beside', 'secret.txt'), 'not under'],
    ['/etc/passwd', 'not under'],
    ['', 'filename'],
    ['.', 'not under'],
    ['link.txt', 'symbolic link'],
    ['linked/secret.txt', 'symbolic link'],
    ['inside/invoice.pdf', 'symbolic link'],
    ['hard.txt', 'hard links'],
    ['pipe', 'no regular file'],
    ['sub', 'no regular file'],
    ['missing.pdf', 'does not exist'],
    ['large.bin', 'at most'],
    ['a\0b', 'control characters'],
    ['sub/invoice.pdf/page.pdf', 'cannot be opened: ENOTDIR'],
    [`${'long'.repeat(70)}/x.pdf`, 'cannot be opened: ENAMETOOLONG'],
    [`${'a/'.repeat(3000)}x.pdf`, 'does not exist'],
  ])('%j is refused, and nothing of it leaves', async (path, why) => {
    const scenario = await start();
    const [bad, good] = [scenario.mail('bob@example.com', withFile(path)), scenario.mail('carl@example.com')];
    await scenario.outbox.drain();
    expect(scenario.entry(bad)).toMatchObject({ state: 'rejected', attempt_count: 0 });
    expect(scenario.entry(bad).last_error).toMatch(new RegExp(`^attachments: .*${why}`));
    expect(scenario.entry(good).state).toBe('delivered');
    expect(bytesIn(scenario, secret)).toBe(false);
  });

  it('that changed after the entry came in are refused, unless they still have the digest that was given', async () => {
    const scenario = await start();
    const file = put(join(root, 'changing.txt'), 'first');
    const sha256 = createHash('sha256').update('second').digest('hex');
    const created_at = new Date(Date.now() - 30_000).toISOString();
    const ids = [{}, { sha256: 'a'.repeat(64) }, { sha256 }].map((more) =>
      scenario.mail('bob@example.com', { ...withFile('changing.txt', more), created_at }),
    );
    writeFileSync(file, 'second');
    await scenario.outbox.drain();
    expect(ids.map((id) => scenario.entry(id).state)).toEqual(['rejected', 'rejected', 'delivered']);
    expect(scenario.entry(ids[0] ?? 0).last_error).toMatch(/was changed after the entry came in/);
    expect(scenario.entry(ids[1] ?? 0).last_error).toMatch(/does not have the sha256/);
  });

  it('that change after the mail was composed do not change the mail', async () => {
    const scenario = await start();
    const file = put(join(root, 'later.txt'), 'as it was');
    scenario.smtp.script = ({ verb }) => (verb === 'RCPT' ? { reply: '451 later' } : undefined);
    scenario.mail('bob@example.com', withFile('later.txt'));
    await scenario.outbox.drain();
    writeFileSync(file, secret);
    scenario.smtp.script = undefined;
    scenario.outbox.advance(600_000);
    await scenario.outbox.drain();
    expect(bytesIn(scenario, 'as it was')).toBe(true);
    expect(bytesIn(scenario, secret)).toBe(false);
  });

  it('are refused where no root is configured; content in the row needs none', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'off' });
    const bad = scenario.mail('bob@example.com', withFile('sub/invoice.pdf'));
    const content = Buffer.from('inline bytes').toString('base64');
    const good = scenario.mail('bob@example.com', {
      attachments: JSON.stringify({ filename: 'x.txt', content_type: 'text/plain', content }),
    });
    await scenario.outbox.drain();
    expect(scenario.entry(bad)).toMatchObject({
      state: 'rejected',
      last_error: 'attachments: path: no EMAIL_ATTACHMENT_ROOT is configured',
    });
    expect(scenario.entry(good).state).toBe('delivered');
    expect(bytesIn(scenario, 'inline bytes')).toBe(true);
  });

  it('swapped for a link at any moment never bring what the link leads to', async () => {
    const scenario = await start();
    const file = join(root, 'swapped.txt');
    let isLink = false;
    const swap = setInterval(() => {
      rmSync(file, { force: true });
      if (isLink) symlinkSync(join(folder, 'secret.txt'), file);
      else put(file, 'harmless');
      isLink = !isLink;
    }, 1);
    for (let round = 0; round < 20; round += 1) {
      for (let mail = 0; mail < 10; mail += 1) scenario.mail('bob@example.com', withFile('swapped.txt'));
      await scenario.outbox.drain();
    }
    clearInterval(swap);
    expect(bytesIn(scenario, secret)).toBe(false);
  });
});

describe('attachments of stored mail', () => {
  it('come from the account’s own mail alone', async () => {
    const scenario = await start();
    const mail = [
      'From: x@x.org',
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain',
      '',
      'stored text',
      '--b',
      'Content-Type: application/pdf; name="../in.pdf"',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('the stored invoice').toString('base64'),
      '--b',
      'Content-Type: text/csv; charset="iso-8859-2"; name=list.csv',
      '',
      'a;b',
      '--b',
      'Content-Type: text/calendar; method=REQUEST; charset=utf-8',
      '',
      'BEGIN:VCALENDAR',
      '--b--',
      '',
    ].join('\r\n');
    const own = `INSERT INTO email_messages (id, acntid, emfdid, uidvalidity, uid, content_id, size) VALUES (?, ?, 1, 1, ?, ?, 1)`;
    for (const [id, acntid] of [
      [1, scenario.acntid],
      [2, scenario.acntid + 1],
    ] as const) {
      scenario.execute('INSERT INTO email_contents (id, sha256) VALUES (?, ?)', id, String(id).repeat(64));
      scenario.execute('INSERT INTO email_raw (content_id, raw) VALUES (?, ?)', id, Buffer.from(mail));
      scenario.execute(own, id, acntid, id, id);
    }
    const attach = (element: object): number =>
      scenario.mail('bob@example.com', { attachments: JSON.stringify([element]) });
    const [whole, content, foreign, none] = [
      attach({ message_id: 1 }),
      attach({ content_id: 1 }),
      attach({ message_id: 2 }),
      attach({ content_id: 99 }),
    ];
    scenario.execute(
      "INSERT INTO email_attachments (content_id, part, filename, content_type) VALUES (1, '2', '../in.pdf', 'application/pdf')",
    );
    const list = 'INSERT INTO email_attachments (content_id, part, filename, content_type) VALUES (1, ?, ?, ?)';
    scenario.execute(list, '3', 'list.csv', 'text/csv');
    scenario.execute(list, '4', null, 'text/calendar');
    attach({ message_id: 1, part: '3' });
    attach({ message_id: 1, part: '4' });
    const [part, noPart] = [attach({ message_id: 1, part: '2' }), attach({ message_id: 1, part: '9' })];
    await scenario.outbox.drain();
    expect([scenario.entry(part ?? 0).state, scenario.entry(noPart ?? 0).last_error]).toEqual([
      'delivered',
      'attachments: message_id 1 has no part 9',
    ]);
    const withPart = scenario.smtp.sink.map(({ raw }) => raw.toString()).find((raw) => raw.includes('filename=in.pdf'));
    expect(withPart).toContain(Buffer.from('the stored invoice').toString('base64'));
    const sent = scenario.smtp.sink.map(({ raw }) => raw.toString()).join('\n');
    expect(sent).toMatch(/^Content-Type: text\/csv; charset=iso-8859-2/m);
    expect(sent).toMatch(/^Content-Type: text\/calendar; charset=utf-8; method=REQUEST/m);
    expect([whole, content, foreign, none].map((id) => scenario.entry(id ?? 0).state)).toEqual([
      'delivered',
      'delivered',
      'rejected',
      'rejected',
    ]);
    expect(scenario.smtp.sink[0]?.raw.toString()).toMatch(/Content-Type: message\/rfc822[\s\S]*stored text/);
  });
});
