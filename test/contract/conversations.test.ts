import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { conversationsOf } from '../support/conversations.ts';
import { incoming, readAll, storeMails } from './reading-fixture.ts';
import {
  batch,
  listing,
  makeFolders,
  makePlace,
  type OpenedStore,
  openInProcess,
  type StorePlace,
  select,
} from './store-fixture.ts';

interface Row {
  id: number;
  conversation_id: number | null;
}

const raw = (id: string, re = '', more = ''): string =>
  `Message-ID: <${id}@x>\r\n${
    re === ''
      ? ''
      : `References: ${re
          .split(' ')
          .map((one) => `<${one}@x>`)
          .join(' ')}\r\n`
  }From: bob@example.org\r\nTo: u0@example.com\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\nSubject: ${re === '' ? '' : 'Re: '}Delivery of chairs\r\n${more}\r\nbody of ${id}\r\n`;

describe('conversations in a store', () => {
  let place: StorePlace;
  let opened: OpenedStore;
  let store: Store;
  beforeEach(async () => {
    place = makePlace();
    opened = await openInProcess(place);
    store = opened.store;
  });
  afterEach(async () => {
    await opened.close();
    place.remove();
  });
  const rows = (): Row[] => select<Row>(place, 'SELECT id, conversation_id FROM email_messages ORDER BY id');
  const conversations = (): (number | null)[] => rows().map((row) => row.conversation_id);
  const threadAll = async (): Promise<void> => {
    while ((await store.threadMessages(2)) > 0);
  };

  it('are called by the message that founded them, and keep the oldest name when they join', async () => {
    const { emfdids } = await makeFolders(store, 'INBOX');
    const [emfdid = 0] = emfdids;
    await storeMails(store, emfdid, [
      raw('d', 'c'),
      raw('b', 'a'),
      raw('other', '', 'X: 1\r\n').replaceAll('chairs', 'tables'),
    ]);
    await threadAll();
    expect(conversations()).toEqual([1, 2, 3]);
    await storeMails(store, emfdid, [raw('c', 'a')], 4);
    await threadAll();
    expect(conversations()).toEqual([1, 1, 3, 1]);
    await storeMails(store, emfdid, [raw('a'), raw('e', 'd')], 5);
    await threadAll();
    expect(conversations()).toEqual([1, 1, 3, 1, 1, 1]);
  });
  it('never reach from one account into another', async () => {
    for (const name of ['INBOX', 'INBOX']) {
      const { emfdids } = await makeFolders(store, name);
      await storeMails(store, emfdids[0] ?? 0, [raw('a'), raw('b', 'a')]);
    }
    await threadAll();
    expect(conversations()).toEqual([1, 1, 3, 3]);
  });
  it('take in copies, moved messages and messages that come back, also without a Message-ID', async () => {
    const { emfdids } = await makeFolders(store, 'INBOX', 'Archive');
    const [inbox = 0, archive = 0] = emfdids;
    const anonymous = 'Subject: note\r\n\r\nno id\r\n';
    await storeMails(store, inbox, [raw('a'), anonymous]);
    await threadAll();
    await storeMails(store, archive, [raw('a'), anonymous]);
    await threadAll();
    expect(conversations()).toEqual([1, 2, 1, 2]);
    await store.applyVanished({ emfdid: inbox, uidValidity: 7, uids: [[1, 2]], at: '2026-11-24T12:00:00.000Z' });
    await store.storeBatch(batch(inbox, [incoming(1, raw('a'))]));
    await threadAll();
    expect(conversations()).toEqual([1, 2, 1, 2]);
  });
  it('are formed anew when they were forgotten', async () => {
    const { acntid, emfdids } = await makeFolders(store, 'INBOX');
    await storeMails(store, emfdids[0] ?? 0, [raw('b', 'a'), raw('a'), raw('c', 'b', 'In-Reply-To: <b@x>\r\n')]);
    await readAll(store);
    const before = conversations();
    expect(await store.forgetConversations(acntid)).toBe(3);
    expect(conversations()).toEqual([null, null, null]);
    await readAll(store);
    expect(conversations()).toEqual(before);
  });
  it('cost a handful of looks into indexes, however large the store is', async () => {
    const plans = [
      'SELECT id FROM email_messages INDEXED BY email_messages_unthreaded WHERE conversation_id IS NULL ORDER BY acntid, id',
      "SELECT conversation_id FROM conversation_keys WHERE acntid = 1 AND key = x'00'",
      'UPDATE email_messages SET conversation_id = 1 WHERE conversation_id = 2',
      'SELECT conversation_id FROM email_messages WHERE content_id = 1 AND +acntid = 1 AND conversation_id IS NOT NULL',
    ];
    for (const sql of plans) {
      const details = select<{ detail: string }>(place, `EXPLAIN QUERY PLAN ${sql}`).map(({ detail }) => detail);
      expect(details.join(), sql).toMatch(/USING (COVERING )?INDEX|USING PRIMARY KEY/);
    }
  });
  it('come out the same in any order and in any steps, as the rule has it for all mails at once', async () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const person = fc.constantFrom('bob@example.org', 'carol@example.org', 'OWNER');
    const anyMail = fc.record({
      id,
      references: fc.array(id, { maxLength: 3 }),
      subject: fc.constantFrom('Delivery of chairs', 'Re: Delivery of chairs', 'Lunch'),
      from: person,
      to: fc.array(person, { minLength: 1, maxLength: 2 }),
      day: fc.integer({ min: 1, max: 20 }),
    });
    let accounts = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMail, { maxLength: 9 }),
        fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
        async (mails, stops) => {
          const owner = `u${accounts}@example.com`;
          accounts += 1;
          const { emfdids } = await makeFolders(store, 'INBOX');
          const [emfdid = 0] = emfdids;
          await store.recordListing(listing(emfdid, 20, [[1, 20]]));
          const messages = mails.map((mail, index) => {
            const person = (name: string): string => (name === 'OWNER' ? owner : name);
            const text = `Message-ID: <${mail.id}>\r\nReferences: ${mail.references.map((one) => `<${one}>`).join(' ')}\r\nFrom: ${person(mail.from)}\r\nTo: ${mail.to.map(person).join(', ')}\r\nDate: ${mail.day} Nov 2026 12:00:00 +0000\r\nSubject: ${mail.subject}\r\n\r\n${accounts} ${index}`;
            return incoming(index + 1, text);
          });
          for (const [index, message] of messages.entries()) {
            await store.storeBatch(batch(emfdid, [message]));
            if (stops[index]) await threadAll();
          }
          await threadAll();
          const found = select<Row>(
            place,
            `SELECT id, conversation_id FROM email_messages WHERE emfdid = ${emfdid} ORDER BY uid`,
          );
          const headers = messages.map(({ headers: { from, to, ...header } }) => ({
            ...header,
            from: from.map(({ address }) => address),
            to: to.map(({ address }) => address),
          }));
          const expected = conversationsOf(headers, owner);
          const groups = new Map<number | null, number[]>();
          for (const [index, row] of found.entries())
            groups.set(row.conversation_id, [...(groups.get(row.conversation_id) ?? []), index]);
          expect([...groups.values()].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual(expected);
        },
      ),
      { numRuns: 80 },
    );
  });
});
