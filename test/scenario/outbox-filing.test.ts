/** What comes after sending: the Sent copy, exactly one; mail of unknown fate; \Answered. */
import { describe, expect, it } from 'vitest';
import { addMessage, message } from '../support/fake-mailbox.ts';
import type { SmtpScript } from '../support/fake-smtp-server.ts';
import { limitedTo } from '../support/message-limit.ts';
import { type OutboxScenario, startOutboxScenario } from './outbox-frame.ts';

const minuteMs = 60_000;

async function pass({ outbox }: OutboxScenario, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    outbox.advance(minuteMs);
    await outbox.drain();
  }
}

/** A provider that files what it is sent: when the final dot has come. */
function filesItself({ smtp, sent }: OutboxScenario, rewrite: (raw: Buffer) => Buffer = (raw) => raw): void {
  smtp.onDelivered = (raw) => void addMessage(sent, rewrite(raw), ['\\Seen']);
}

const learned = ({ query }: OutboxScenario): unknown =>
  query<{ sent_copy_learned: string | null }>('SELECT sent_copy_learned FROM email_accounts')[0]?.sent_copy_learned;

describe('the Sent copy', () => {
  it('is appended once where the server makes none, and from then on without waiting', async () => {
    const scenario = await startOutboxScenario();
    const first = scenario.mail('bob@example.com');
    await scenario.outbox.drain();
    expect(scenario.sent.messages).toHaveLength(0);
    await pass(scenario, 2);
    expect(scenario.sent.messages.map(({ raw, flags }) => [raw.equals(scenario.composed(first)), flags])).toEqual([
      [true, ['\\Seen']],
    ]);
    expect(scenario.entry(first).filed_at).not.toBeNull();
    expect(learned(scenario)).toBe('append');
    scenario.mail('carl@example.com');
    await scenario.outbox.drain();
    expect(scenario.sent.messages).toHaveLength(2);
    await pass(scenario, 30);
    expect(scenario.sent.messages).toHaveLength(2);
  });

  it('is found where the server files its own, also when it has replaced the Message-ID', async () => {
    const scenario = await startOutboxScenario();
    filesItself(scenario, (raw) =>
      Buffer.from(raw.toString('latin1').replace(/^Message-ID: .*$/m, 'Message-ID: <new@server>'), 'latin1'),
    );
    const ids = [scenario.mail('bob@example.com'), scenario.mail('carl@example.com')];
    await pass(scenario, 3);
    expect(learned(scenario)).toBe('server');
    expect(ids.map((id) => scenario.entry(id).filed_at === null)).toEqual([false, false]);
    await pass(scenario, 30);
    expect(scenario.sent.messages).toHaveLength(2);
  });

  it('is found although it was filed days before the last recipient was tried', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'server' });
    filesItself(scenario);
    scenario.smtp.script = ({ address }) => (address.startsWith('later') ? { reply: '451 4.7.1 later' } : undefined);
    const id = scenario.mail('bob@example.com, later@example.com');
    await scenario.outbox.sendOnce();
    // Nobody can look: the login is refused meanwhile, say.
    scenario.outbox.advance(4 * 24 * 60 * minuteMs);
    await scenario.outbox.sendOnce();
    expect(scenario.attempts(id)).toHaveLength(2);
    await pass(scenario, 30);
    expect(scenario.entry(id).filed_at).not.toBeNull();
    expect(scenario.sent.messages).toHaveLength(1);
  });

  it('is found although the clock was years ahead when the mail was sent', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'server' });
    filesItself(scenario);
    const yearsMs = 3600 * 24 * 60 * minuteMs;
    scenario.outbox.advance(yearsMs);
    const id = scenario.mail('bob@example.com');
    await scenario.outbox.sendOnce();
    scenario.outbox.advance(-yearsMs);
    const { store, clock } = scenario.outbox.ports;
    await store.clampWaits(clock().toISOString(), 0);
    await pass(scenario, 30);
    expect(scenario.entry(id).filed_at).not.toBeNull();
    expect(scenario.sent.messages).toHaveLength(1);
  });

  it('is not doubled when the answer to APPEND is lost, whether the server has it or not', async () => {
    for (const hasIt of [true, false]) {
      const scenario = await startOutboxScenario({ sentCopy: 'append' });
      let isCut = false;
      scenario.imap.script = ({ verb }) => {
        if (verb !== 'APPEND' || isCut) return undefined;
        isCut = true;
        if (!hasIt) scenario.sent.messages.pop();
        return { parts: [], ending: 'reset' };
      };
      const id = scenario.mail('bob@example.com');
      await scenario.outbox.drain();
      expect(scenario.entry(id)).toMatchObject({ state: 'delivered', filed_at: null });
      await pass(scenario, 10);
      expect(scenario.entry(id).filed_at).not.toBeNull();
      expect(scenario.sent.messages).toHaveLength(1);
    }
  });

  it('is not doubled while what the server found cannot be read', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    let unreadableCount = 0;
    scenario.imap.script = ({ verb, tag }) => {
      if (verb !== 'UID SEARCH' || unreadableCount === 3) return undefined;
      unreadableCount += 1;
      return { parts: ['* SEARCH 1 (((\r\n', `${tag} OK done\r\n`] };
    };
    filesItself(scenario);
    const id = scenario.mail('bob@example.com');
    await scenario.outbox.drain();
    expect(scenario.entry(id)).toMatchObject({ state: 'delivered', filed_at: null });
    expect(scenario.entry(id).file_error).toMatch(/could not be read/);
    await pass(scenario, 30);
    expect(unreadableCount).toBe(3);
    expect(scenario.entry(id)).toMatchObject({ file_error: null, state: 'delivered' });
    expect(scenario.sent.messages).toHaveLength(1);
  });

  it('is found among more mail than the server looks at', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    scenario.imap.script = limitedTo(10);
    const id = scenario.mail('bob@example.com');
    scenario.smtp.onDelivered = (raw) => {
      addMessage(scenario.sent, raw, ['\\Seen']);
      for (let count = 0; count < 25; count += 1) addMessage(scenario.sent, message(count + 1, 'other').raw);
    };
    await pass(scenario, 10);
    expect(scenario.entry(id)).toMatchObject({ file_error: null, state: 'delivered' });
    expect(scenario.entry(id).filed_at).not.toBeNull();
    expect(scenario.sent.messages).toHaveLength(26);
  });

  it('is not doubled in a folder that the server listed and nobody could read', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    let isCut = false;
    scenario.imap.script = ({ verb }, honest) => {
      if (verb === 'LIST')
        return { parts: honest.map((part) => (part === '* LIST (\\Sent) "/" ' ? '* LIST ((( ' : part)) };
      if (verb !== 'APPEND' || isCut) return undefined;
      isCut = true;
      return { parts: [], ending: 'close' };
    };
    const id = scenario.mail('bob@example.com');
    await pass(scenario, 10);
    expect(scenario.entry(id).file_error).toMatch(/not read in full/);
    scenario.imap.script = undefined;
    await pass(scenario, 60);
    expect(scenario.entry(id)).toMatchObject({ file_error: null, state: 'delivered' });
    expect(scenario.sent.messages).toHaveLength(1);
  });

  it('that the server refuses is tried again, and the reason is in the row', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    let refusals = 0;
    scenario.imap.script = ({ verb, tag }) => {
      if (verb !== 'APPEND' || refusals === 2) return undefined;
      refusals += 1;
      scenario.sent.messages.pop();
      return { parts: [`${tag} NO [OVERQUOTA] no room\r\n`] };
    };
    const id = scenario.mail('bob@example.com');
    await scenario.outbox.drain();
    expect(scenario.entry(id).file_error).toMatch(/no room/);
    await pass(scenario, 15);
    expect(scenario.entry(id)).toMatchObject({ file_error: null, state: 'delivered' });
    expect(scenario.sent.messages).toHaveLength(1);
  });

  it('of an IMAP server that is away waits, without a login every second', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    scenario.imap.script = ({ verb, tag }) =>
      verb === 'AUTHENTICATE' || verb === 'LOGIN' ? { parts: [`${tag} NO [UNAVAILABLE] later\r\n`] } : undefined;
    const ids = ['a', 'b', 'c'].map((name) => scenario.mail(`${name}@example.com`));
    await pass(scenario, 5);
    expect(scenario.imap.connectionCount).toBeLessThanOrEqual(4);
    scenario.imap.script = undefined;
    await pass(scenario, 10);
    expect(ids.map((id) => scenario.entry(id).filed_at === null)).toEqual([false, false, false]);
    expect(scenario.sent.messages).toHaveLength(3);
  });

  it('of an IMAP server that was away for days is still tried again when that has no room at first', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    scenario.imap.script = ({ verb, tag }) =>
      verb === 'AUTHENTICATE' || verb === 'LOGIN' ? { parts: [`${tag} NO [UNAVAILABLE] later\r\n`] } : undefined;
    const id = scenario.mail('bob@example.com');
    for (let halfDay = 0; halfDay < 14; halfDay += 1) {
      scenario.outbox.advance(12 * 60 * minuteMs);
      await scenario.outbox.drain();
    }
    scenario.imap.script = ({ verb, tag }) => {
      if (verb !== 'APPEND') return undefined;
      scenario.sent.messages.pop();
      return { parts: [`${tag} NO [OVERQUOTA] no room\r\n`] };
    };
    scenario.outbox.advance(12 * 60 * minuteMs);
    await scenario.outbox.drain();
    expect(scenario.entry(id).file_error).toMatch(/no room/);
    scenario.imap.script = undefined;
    scenario.outbox.advance(12 * 60 * minuteMs);
    await scenario.outbox.drain();
    expect(scenario.entry(id)).toMatchObject({ file_error: null, state: 'delivered' });
    expect(scenario.sent.messages).toHaveLength(1);
  });

  it('is made for each of several entries that have one Message-ID', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    for (const name of ['one', 'two']) {
      scenario.mail(`${name}@example.com`, { message_id_header: '<news@x>' });
      await pass(scenario, 2);
    }
    expect(scenario.sent.messages).toHaveLength(2);
  });

  it('is left alone where the operator wants none', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'off' });
    scenario.mail('bob@example.com');
    await pass(scenario, 3);
    expect([scenario.imap.connectionCount, scenario.sent.messages.length]).toEqual([0, 0]);
  });

  it('goes into the folder that is listed in another spelling than the usual one', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    const { store } = scenario.outbox.ports;
    const sent = { delimiter: '/', role: 'sent', priority: 'low', isSelectable: true, mailboxId: null } as const;
    const create = [{ ...sent, path: 'Sent é' }];
    scenario.sent.path = '&AFM-ent &AOk-';
    await store.applyFolderPlan(scenario.acntid, { create, update: [], missing: [] }, '2026-11-24T12:00:00.000Z');
    const id = scenario.mail('bob@example.com');
    await pass(scenario, 3);
    expect(scenario.entry(id)).toMatchObject({ state: 'delivered', file_error: null });
    expect(scenario.sent.messages).toHaveLength(1);
    expect(scenario.imap.folders).toHaveLength(2);
  });

  it('makes the Sent folder where there is none', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    Object.assign(scenario.sent, { path: 'Elsewhere', attributes: [] });
    scenario.mail('bob@example.com');
    scenario.mail('carl@example.com');
    await pass(scenario, 3);
    const made = scenario.imap.folders.filter(({ path }) => path === 'Sent');
    expect(made.map(({ messages }) => messages.length)).toEqual([2]);
  });
});

const lost: SmtpScript = ({ verb }) => (verb === 'DOT' ? { ending: 'reset', reply: '', keeps: true } : undefined);

describe('a mail of unknown fate', () => {
  it('that the server has filed was sent', async () => {
    const scenario = await startOutboxScenario();
    filesItself(scenario);
    scenario.smtp.script = lost;
    const id = scenario.mail('bob@example.com');
    await scenario.outbox.drain();
    expect(scenario.entry(id).state).toBe('unknown');
    await pass(scenario, 2);
    expect(scenario.entry(id)).toMatchObject({ state: 'delivered', resolved: 'found' });
    expect(scenario.entry(id).filed_at).not.toBeNull();
    await pass(scenario, 20);
    expect(scenario.smtp.sink).toHaveLength(1);
    expect(scenario.sent.messages).toHaveLength(1);
  });

  it('to oneself is found in the INBOX', async () => {
    const scenario = await startOutboxScenario({ script: lost });
    const id = scenario.mail('anna@example.com');
    await scenario.outbox.drain();
    addMessage(scenario.inbox, scenario.smtp.sink[0]?.raw ?? Buffer.alloc(0));
    await pass(scenario, 2);
    expect(scenario.entry(id)).toMatchObject({ state: 'delivered', resolved: 'found' });
  });

  it('that is not found waits for a person, who says that it was sent', async () => {
    const scenario = await startOutboxScenario({ script: lost });
    const id = scenario.mail('bob@example.com');
    await pass(scenario, 60);
    expect(scenario.entry(id)).toMatchObject({ state: 'unknown', resolved: null });
    expect(scenario.smtp.sink).toHaveLength(1);
    await scenario.outbox.ports.store.resolveUnknown(id, 'sent', scenario.outbox.ports.clock().toISOString());
    scenario.smtp.script = undefined;
    await pass(scenario, 3);
    expect(scenario.entry(id)).toMatchObject({ state: 'delivered', resolved: 'sent' });
    expect(scenario.smtp.sink).toHaveLength(1);
    expect(scenario.sent.messages).toHaveLength(1);
  });

  it('is not found by the copy of another entry that has the same Message-ID', async () => {
    const scenario = await startOutboxScenario({ sentCopy: 'append' });
    const newsletter = (to: string): number =>
      scenario.insert({ raw: `From: anna@example.com\nTo: ${to}\nSubject: News\nMessage-ID: <news@x>\n\nHello\n` });
    const first = newsletter('one@example.com');
    await scenario.outbox.drain();
    expect(scenario.entry(first).filed_at).not.toBeNull();
    scenario.smtp.script = ({ verb }) => (verb === 'DOT' ? { ending: 'reset', reply: '', keeps: false } : undefined);
    const second = newsletter('two@example.com');
    await pass(scenario, 20);
    expect(scenario.entry(second)).toMatchObject({ state: 'unknown', resolved: null });
    // Its own copy proves that it was sent.
    scenario.smtp.script = lost;
    const third = newsletter('three@example.com');
    await scenario.outbox.drain();
    addMessage(scenario.sent, scenario.smtp.sink.at(-1)?.raw ?? Buffer.alloc(0));
    await pass(scenario, 2);
    expect(scenario.entry(third)).toMatchObject({ state: 'delivered', resolved: 'found' });
  });

  it('or that it is to be sent again: the same mail, once', async () => {
    const scenario = await startOutboxScenario({ script: lost });
    const id = scenario.mail('bob@example.com');
    await pass(scenario, 20);
    scenario.smtp.script = undefined;
    await scenario.outbox.ports.store.resolveUnknown(id, 'resend', scenario.outbox.ports.clock().toISOString());
    await pass(scenario, 20);
    expect(scenario.entry(id)).toMatchObject({ state: 'delivered', resolved: 'resend' });
    expect(new Set(scenario.smtp.sink.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(scenario.smtp.sink).toHaveLength(2);
  });

  it('is sent once more, and never a third time, where the operator chose resend-once', async () => {
    const scenario = await startOutboxScenario({ script: lost, settings: { unknown: 'resend-once' } });
    const id = scenario.mail('bob@example.com');
    await pass(scenario, 90);
    expect(scenario.entry(id)).toMatchObject({ state: 'unknown', resolved: 'resend-once' });
    expect(scenario.smtp.sink).toHaveLength(2);
  });
});

describe('an answer', () => {
  it('names what it answers, and marks it \\Answered where it is now', async () => {
    const scenario = await startOutboxScenario();
    const asked = message(7, 'question');
    scenario.inbox.messages.push(asked);
    scenario.inbox.uidNext = 8;
    const { store } = scenario.outbox.ports;
    const create = [
      { path: 'INBOX', delimiter: '/', role: 'inbox', priority: 'high', isSelectable: true, mailboxId: null },
    ] as const;
    const [inbox] = await store.applyFolderPlan(
      scenario.acntid,
      { create, update: [], missing: [] },
      '2026-11-24T12:00:00.000Z',
    );
    scenario.execute(
      "INSERT INTO email_contents (id, sha256, message_id_header, references_header) VALUES (1, ?, '<q@x>', '<root@x> <mid@x>')",
      'a'.repeat(64),
    );
    scenario.execute(
      'INSERT INTO email_messages (id, acntid, emfdid, uidvalidity, uid, content_id, size) VALUES (5, ?, ?, 1000, 7, 1, 10)',
      scenario.acntid,
      inbox?.emfdid,
    );
    const id = scenario.mail('bob@example.com', { in_reply_to_id: 5 });
    await pass(scenario, 1);
    expect(scenario.entry(id).state).toBe('delivered');
    const raw = scenario.smtp.sink[0]?.raw.toString('latin1') ?? '';
    expect(raw).toContain('In-Reply-To: <q@x>\r\n');
    expect(raw).toContain('References: <root@x> <mid@x> <q@x>\r\n');
    expect(asked.flags).toEqual(['\\Answered']);
  });
});
