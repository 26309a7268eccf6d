/** `backproc outbox …` as an administrator or a script types it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { createInstallation, type Installation, type Outcome } from '../support/installation.ts';

let installation: Installation;
const folder = mkdtempSync(join(tmpdir(), 'backproc-cli-'));
beforeAll(async () => {
  installation = createInstallation();
  await installation.addAccount(1, 'anna');
});
afterAll(() => {
  installation.remove();
  rmSync(folder, { recursive: true });
});

const outbox = (...args: string[]): Promise<Outcome> => installation.command('outbox', ...args);
const mail = ['--account', '1', '--to', 'Bob <bob@example.com>', '--subject', 'Hello', '--text', 'Hi'];
const send = async (...more: string[]): Promise<number> => {
  const { code, stdout, stderr } = await outbox('send', ...mail, ...more);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return Number(stdout);
};
async function withStdin(input: string, ...args: string[]): Promise<Outcome> {
  const { child, ended } = installation.start('outbox', ...args);
  child.stdin?.end(input);
  return ended;
}
const row = (id: number): Record<string, unknown> =>
  installation.query('SELECT * FROM email_outbox WHERE id = ?', id)[0] ?? {};
const execute = (sql: string): void => {
  const database = openSqlite(installation.storeFile, { timeout: 10_000 });
  database.exec(sql);
  database.close();
};

describe('backproc outbox', () => {
  it('send puts a mail there and prints its number; the same key twice is one mail', async () => {
    const id = await send('--key', 'order-1', '--priority', '-2', '--send-after', '2027-01-01T00:00:00Z');
    expect(row(id)).toMatchObject({
      state: 'queued',
      to_addresses: '["Bob <bob@example.com>"]',
      priority: -2,
      send_after: '2027-01-01T00:00:00.000Z',
    });
    expect(await send('--key', 'order-1')).toBe(id);
    const { stdout } = await outbox('send', ...mail, '--key', 'order-1', '--json');
    expect(JSON.parse(stdout)).toEqual({ id, isNew: false });
  });

  it('send reads the body, or the whole mail, from standard input', async () => {
    const { stdout } = await withStdin('From stdin ✓\n', 'send', '--account', '1', '--to', 'bob@example.com');
    expect(row(Number(stdout))).toMatchObject({ body_text: 'From stdin ✓\n', subject: '' });
    const raw = 'From: anna@example.com\r\nTo: bob@example.com\r\n\r\nraw\r\n';
    const whole = await withStdin(raw, 'send', '--account', '1', '--raw');
    expect(String(row(Number(whole.stdout)).raw)).toBe(raw);
  });

  it('send takes files with it', async () => {
    const file = join(folder, 'a.txt');
    writeFileSync(file, 'attached');
    const id = await send('--attach', file, '--header', 'X-Order: 5', '--hold');
    expect(JSON.parse(String(row(id).attachments))).toEqual([
      { filename: 'a.txt', content: Buffer.from('attached').toString('base64') },
    ]);
    expect(row(id)).toMatchObject({ headers: '[{"name":"X-Order","value":"5"}]', state: 'held' });
  });

  it.each([
    [['--to', 'not an address'], /to_addresses: /],
    [['--subject', 'a\nBcc: eve@evil.org'], /subject: line ends/],
    [['--header', 'Bcc: eve@evil.org'], /headers: Bcc/],
    [['--header', 'nonsense'], /--header: expected/],
    [['--in-reply-to', '99'], /no message 99/],
    [['--attach', '/nowhere/file'], /cannot be read/],
    [['--send-after', 'soon'], /--send-after/],
    [['--send-after', '11/12/2026'], /with its zone/],
    [['--account', '0x1'], /--account/],
    [['--account', '9'], /account/],
    [['--priority', 'high'], /--priority/],
  ])('send refuses %j at once, with exit code 64, and puts nothing there', async (more, why) => {
    const before = installation.query('SELECT COUNT(*) AS count FROM email_outbox');
    const outcome = await outbox('send', ...mail, ...more);
    expect([outcome.code, outcome.stdout]).toEqual([64, '']);
    expect(outcome.stderr).toMatch(why);
    expect(installation.query('SELECT COUNT(*) AS count FROM email_outbox')).toEqual(before);
  });

  it('list and show tell what is there, as text and as JSON', async () => {
    const id = await send();
    execute(`UPDATE email_accounts SET smtp_state = 'auth_error', smtp_retry_at = '2027-01-01T00:00:00.000Z', smtp_last_error = 'auth_failed: x';
      INSERT INTO email_outbox_recipients (outbox_id, address, verdict, code, response) VALUES (${id}, 'bob@example.com', 'deferred', 451, '451 later');
      INSERT INTO email_outbox_attempts (outbox_id, started_at, duration_ms, phase, verdict, code, response, recipient_count)
        VALUES (${id}, '2026-11-24T12:00:00.000Z', 12, 'envelope', 'deferred', 451, '451 later', 1)`);
    const entries: { id: number; state: string }[] = JSON.parse(
      (await outbox('list', '--json', '--state', 'queued', '--account', '1')).stdout,
    );
    expect(entries[0]).toMatchObject({ id, state: 'queued', subject: 'Hello' });
    expect((await outbox('list')).stdout).toMatch(/id +acntid +state/);
    const { stdout } = await outbox('show', String(id));
    expect(stdout).toMatch(/waits_for +account auth_error until 2027/);
    expect(stdout).toMatch(/2026-11-24T12:00:00\.000Z +12 ms +envelope +1 +deferred +451 later/);
    execute('UPDATE email_accounts SET enabled = 0');
    expect((await outbox('show', String(id))).stdout).toMatch(/waits_for +the account, which is disabled/);
    execute('UPDATE email_accounts SET enabled = 1');
    expect(JSON.parse((await outbox('show', String(id), '--json')).stdout)).toMatchObject({
      id,
      attempts: [{ verdict: 'deferred' }],
    });
    expect((await outbox('show', '9999')).code).toBe(64);
    expect((await outbox('show', String(id), '--raw')).code).toBe(64);
    expect((await outbox('list', '--state', 'nonsense')).code).toBe(64);
  });

  it('hold, retry, cancel and resolve do what they say, or say why not', async () => {
    const id = await send();
    for (const [action, state] of [
      ['hold', 'held'],
      ['retry', 'queued'],
      ['cancel', 'cancelled'],
    ] as const) {
      expect(await outbox(action, String(id))).toMatchObject({ code: 0, stdout: '', stderr: '' });
      expect(row(id).state).toBe(state);
    }
    expect((await outbox('hold', String(id))).code).toBe(64);
    execute(`UPDATE email_outbox SET state = 'unknown' WHERE id = ${id};
      INSERT INTO email_outbox_recipients (outbox_id, address, verdict) VALUES (${id}, 'bob@example.com', 'unknown')`);
    expect((await outbox('retry', String(id))).stderr).toMatch(/outbox resolve/);
    expect((await outbox('resolve', String(id))).code).toBe(64);
    expect((await outbox('resolve', String(id), '--sent', '--resend')).code).toBe(64);
    expect((await outbox('resolve', String(id), '--sent')).code).toBe(0);
    expect(row(id)).toMatchObject({ state: 'delivered', resolved: 'sent' });
  });
});
