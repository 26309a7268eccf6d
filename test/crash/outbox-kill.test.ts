/**
 * kill -9 while the outbox is at work: at every durable step of the store, at every phase of an SMTP transaction, at the IMAP
 * commands of filing, and at random moments. Whatever was killed, clean passes afterwards leave: nothing delivered twice, nothing
 * lost, no Sent copy doubled, and mail whose fate nobody can know as `unknown` (RELIABILITY Q6, Q7). `npm test` takes every tenth
 * step, `npm run test:crash` all.
 */
import type { ChildProcess } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import { makePlace, newAccount, openInProcess, type StorePlace, select } from '../contract/store-fixture.ts';
import { type FakeImapServer, startFakeImap } from '../support/fake-imap-server.ts';
import { folder } from '../support/fake-mailbox.ts';
import { type FakeSmtpServer, type SmtpVerb, startFakeSmtp } from '../support/fake-smtp-server.ts';
import { spawnOutbox } from '../support/outbox-child.ts';
import { type OutboxOptions, startOutbox } from '../support/outbox-process.ts';

const isWhole = process.env.npm_lifecycle_event === 'test:crash';
const every = isWhole ? 1 : 10;
const randomKills = isWhole ? 100 : 6;
const minuteMs = 60_000;

let place: StorePlace;
let smtp: FakeSmtpServer;
let imap: FakeImapServer;
const sent = folder('Sent', 0, { attributes: ['\\Sent'] });
const settings = { networkTimeoutMs: 3000 };

const storeFolder = (): string => dirname(place.file);
const saved = (): string => join(dirname(storeFolder()), 'saved');

/** Six mails, one to two people, one of them refused for now: queued, nothing composed. */
beforeAll(async () => {
  place = makePlace();
  smtp = await startFakeSmtp();
  imap = await startFakeImap({ folders: [folder('INBOX'), sent] });
  const { store, close } = await openInProcess(place);
  const at = (port: number) => ({ host: '127.0.0.1', port, security: 'none', user: 'anna' }) as const;
  await store.addAccount(newAccount('anna@example.com', { imap: at(imap.port), smtp: at(smtp.port), password: 'pw' }));
  await close();
  const database = openSqlite(place.file);
  database.exec("UPDATE email_accounts SET sent_copy = 'append'");
  const insert = database.prepare(
    "INSERT INTO email_outbox (acntid, to_addresses, subject, body_text) VALUES (1, ?, 'Hello', 'A line of text.')",
  );
  for (const to of ['a@x.org', 'b@x.org', 'c@x.org', 'd@x.org, later@x.org', 'e@x.org', 'f@x.org']) insert.run(to);
  database.close();
  cpSync(storeFolder(), saved(), { recursive: true });
});
afterAll(async () => {
  await smtp.stop();
  await imap.stop();
  place.remove();
});
beforeEach(() => restore());

function restore(): void {
  rmSync(storeFolder(), { recursive: true });
  cpSync(saved(), storeFolder(), { recursive: true });
  smtp.sink.length = 0;
  smtp.script = undefined;
  imap.script = undefined;
  sent.messages.length = 0;
}

function startChild(more: Partial<OutboxOptions> = {}): {
  child: ChildProcess;
  ended: Promise<{ code: number | null; steps: number }>;
} {
  const { file, keyFile } = place;
  const options: OutboxOptions = { file, keyFile, settings, connections: 2, untilIdle: true, ...more };
  const child = spawnOutbox(options, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<{ code: number | null; steps: number }>((resolve) => {
    child.once('close', (code) => resolve({ code, steps: Number(/steps (\d+)/.exec(output)?.[1] ?? 0) }));
  });
  return { child, ended };
}

/** Time passes undisturbed: what was interrupted is sent, looked for and filed. */
async function cleanPasses(): Promise<void> {
  smtp.script = undefined;
  imap.script = undefined;
  const outbox = await startOutbox({ ...place, settings, connections: 2 });
  for (const minutes of [0, 2, 5, 6, 30]) {
    outbox.advance(minutes * minuteMs);
    await outbox.drain();
  }
  await outbox.stop();
}

interface Row {
  id: number;
  state: string;
  message_id_header: string;
}

/** Every violation as one line. */
function violations(): string[] {
  const rows = select<Row>(place, 'SELECT id, state, message_id_header FROM email_outbox');
  const keys = smtp.sink.map(({ messageIdHeader, recipient }) => `${messageIdHeader} ${recipient}`);
  const doubled = keys.filter((key, at) => keys.indexOf(key) !== at).map((key) => `delivered twice: ${key}`);
  const copies = sent.messages.map(({ raw }) => /^Message-ID: (.*)$/m.exec(raw.toString('latin1'))?.[1]?.trim());
  const copied = copies.filter((id, at) => copies.indexOf(id) !== at).map((id) => `Sent copy doubled: ${id}`);
  const wrong = rows.flatMap(({ id, state, message_id_header }) => {
    const isInSink = smtp.sink.some((row) => row.messageIdHeader === message_id_header);
    if (state === 'unknown') return [];
    if (state !== 'delivered') return [`${id} is left ${state}`];
    return [
      ...(isInSink ? [] : [`${id} is delivered, and nobody has it`]),
      ...(copies.includes(message_id_header) ? [] : [`${id} has no Sent copy`]),
    ];
  });
  const served = select<{ outbox_id: number; address: string; verdict: string }>(
    place,
    "SELECT outbox_id, address, verdict FROM email_outbox_recipients WHERE verdict IS NOT 'delivered' AND verdict IS NOT 'unknown'",
  ).map(({ outbox_id, address, verdict }) => `${outbox_id} to ${address} is left ${verdict}`);
  const integrity = select<{ integrity_check: string }>(place, 'PRAGMA integrity_check');
  const broken = integrity.filter((row) => row.integrity_check !== 'ok').map((row) => row.integrity_check);
  return [...doubled, ...copied, ...wrong, ...served, ...broken];
}

const unknownCount = (): number => select(place, "SELECT 1 FROM email_outbox WHERE state = 'unknown'").length;

describe('an outbox killed with SIGKILL', () => {
  it('at any durable step of the store loses and doubles nothing', async () => {
    const whole = await startChild({ crashAt: 0 }).ended;
    expect(whole.code).toBe(0);
    expect(whole.steps).toBeGreaterThan(30);
    for (let step = 1 + Math.floor(Math.random() * every); step <= whole.steps; step += every) {
      restore();
      await startChild({ crashAt: step }).ended;
      await cleanPasses();
      expect({ step, violations: violations() }).toEqual({ step, violations: [] });
      // Of each of two connections one mail under way, and one whose verdict waited for a commit to share.
      expect(unknownCount()).toBeLessThanOrEqual(4);
    }
  });

  it.each([
    ['CONNECT', 0],
    ['EHLO', 0],
    ['AUTH', 0],
    ['MAIL', 0],
    ['RCPT', 0],
    ['DATA', 0],
    ['BODY', 1],
    ['DOT', 1],
  ] as [SmtpVerb, number][])(
    'at %s of its third mail sends the rest, and leaves %i unknown',
    async (verb, unknowns) => {
      const { child, ended } = startChild({ connections: 1 });
      let seen = 0;
      smtp.script = (step) => {
        if (step.verb !== verb) return undefined;
        seen += 1;
        // A connection is made once; a mail is begun for each.
        if (seen < (['CONNECT', 'EHLO', 'AUTH'].includes(verb) ? 1 : 3)) return undefined;
        child.kill('SIGKILL');
        return { isSilent: true };
      };
      await ended;
      await cleanPasses();
      expect({ violations: violations(), unknowns: unknownCount() }).toEqual({ violations: [], unknowns });
    },
  );

  it('after the server took a mail and before that is written down leaves it unknown, not sent again', async () => {
    const { child, ended } = startChild({ connections: 1 });
    let dots = 0;
    smtp.script = ({ verb }) => {
      dots += verb === 'DOT' ? 1 : 0;
      if (verb === 'DOT' && dots === 3) setImmediate(() => child.kill('SIGKILL'));
      return undefined;
    };
    await ended;
    await cleanPasses();
    expect(violations()).toEqual([]);
    expect(unknownCount()).toBeLessThanOrEqual(1);
  });

  it.each([
    ['APPEND', true],
    ['APPEND', false],
    ['UID SEARCH', false],
  ])('at %s while filing leaves one copy in Sent (server has it: %s)', async (verb, hasIt) => {
    const { child, ended } = startChild();
    let seen = 0;
    imap.script = (command) => {
      seen += command.verb === verb ? 1 : 0;
      if (command.verb !== verb || seen !== 2) return undefined;
      if (verb === 'APPEND' && !hasIt) sent.messages.pop();
      child.kill('SIGKILL');
      return { parts: [], ending: 'reset' };
    };
    await ended;
    expect(seen).toBeGreaterThanOrEqual(2);
    await cleanPasses();
    expect(violations()).toEqual([]);
  });

  it('at random moments, again and again, loses and doubles nothing', async () => {
    for (let kill = 0; kill < randomKills; kill += 1) {
      if (kill % 3 === 0) restore();
      const { child, ended } = startChild();
      const timer = setTimeout(() => child.kill('SIGKILL'), 200 + Math.random() * 900);
      await ended;
      clearTimeout(timer);
      if (kill % 3 !== 2) continue;
      await cleanPasses();
      expect({ kill, violations: violations() }).toEqual({ kill, violations: [] });
    }
  });
});
