/** The outbox's verbs, asked of real databases: in process and behind the store thread. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  AttemptResult,
  ComposedEntry,
  OutboxColumns,
  RecipientResult,
  Verdict,
} from '../../src/store/outbox-entry.ts';
import type { Store } from '../../src/store/store.ts';
import {
  at,
  batch,
  execute,
  later,
  listedFolder,
  listing,
  mail,
  makePlace,
  newAccount,
  type OpenedStore,
  openInProcess,
  openThreaded,
  removeAccount,
  type StorePlace,
  select,
} from './store-fixture.ts';

const soon = '2026-11-24T12:05:00.000Z';
const muchLater = '2026-11-24T20:00:00.000Z';
const smtp = { host: 'smtp.example.com', port: 465, security: 'tls', user: 'anna' } as const;

const composed = (recipients: readonly string[], more: Partial<ComposedEntry> = {}): ComposedEntry => ({
  raw: Buffer.from('From: a@x.org\r\n\r\nText\r\n'),
  messageIdHeader: '<id@x.org>',
  xBackprocId: 'id',
  smtpFrom: 'a@x.org',
  recipients,
  attachments: null,
  understood: { subject: 'S', from: [{ name: '', address: 'a@x.org' }], to: [], cc: [], bcc: [] },
  ...more,
});

describe.each([
  ['in process', openInProcess],
  ['behind its thread', openThreaded],
] as const)('the outbox of a SQLite store %s', (_, open) => {
  let place: StorePlace;
  let opened: OpenedStore;
  let store: Store;
  let acntid: number;
  beforeEach(async () => {
    place = makePlace();
    opened = await open(place);
    store = opened.store;
    acntid = await store.addAccount(newAccount('anna@example.com', { smtp }));
  });
  afterEach(async () => {
    await opened.close();
    place.remove();
  });

  const insert = async (
    more: {
      columns?: Partial<OutboxColumns>;
      priority?: number;
      sendAfter?: string;
      key?: string;
      state?: 'queued' | 'held';
    } = {},
  ) =>
    store.enqueueOutbox({
      acntid,
      state: more.state ?? 'queued',
      columns: { toAddresses: 'b@x.org', subject: 'S', bodyText: 'T', ...more.columns },
      idempotencyKey: more.key ?? null,
      priority: more.priority ?? 0,
      sendAfter: more.sendAfter ?? null,
    });
  const state = (id: number): string | undefined =>
    select<{ id: number; state: string }>(place, 'SELECT id, state FROM email_outbox').find((row) => row.id === id)
      ?.state;
  const begin = async (
    id: number,
    recipients: readonly string[] = ['b@x.org'],
    transactions: readonly (readonly string[])[] = [recipients],
  ) => store.beginAttempts({ acntid, entries: [{ id, composed: composed(recipients), transactions }], at });
  const recipient = (address: string, verdict: Verdict): RecipientResult => ({
    address,
    verdict,
    code: 250,
    response: 'words',
    nextAttemptAt: verdict === 'deferred' ? soon : null,
  });
  const result = (
    attemptId: number,
    outboxId: number,
    recipients: readonly RecipientResult[],
    more: Partial<AttemptResult> = {},
  ): AttemptResult => ({
    attemptId,
    outboxId,
    phase: 'body_sent',
    verdict: recipients[0]?.verdict ?? 'deferred',
    code: 250,
    response: '250 ok',
    durationMs: 12,
    at,
    recipients,
    lastError: null,
    fileAt: soon,
    lookupAt: soon,
    ...more,
  });
  const finish = (finished: readonly AttemptResult[]) =>
    store.recordAttempts({ dataStarted: [], bodySent: [], finished });
  const due = async (now: string) => (await store.outboxDue(now, 10)).send.map((account) => account.acntid);
  const followUps = async (now = muchLater) =>
    (await store.followUps(acntid, now, 10)).map(({ kind, outboxId }) => `${kind} ${outboxId}`);
  const changes = (): string[] =>
    select<{ kind: string }>(place, 'SELECT kind FROM email_changes WHERE outbox_id IS NOT NULL ORDER BY seq').map(
      ({ kind }) => kind,
    );

  it('takes the same idempotency key once, per account', async () => {
    const first = await insert({ key: 'order-1' });
    expect(await insert({ key: 'order-1', columns: { subject: 'other' } })).toEqual({ id: first.id, isNew: false });
    expect((await insert()).isNew).toBe(true);
    await expect(
      store.enqueueOutbox({
        acntid: 99,
        state: 'queued',
        columns: {},
        idempotencyKey: null,
        priority: 0,
        sendAfter: null,
      }),
    ).rejects.toMatchObject({
      code: 'account_unknown',
    });
  });

  it('tells which accounts have work now, and when more becomes due', async () => {
    expect(await store.outboxDue(at, 10)).toEqual({ send: [], file: [], nextAt: null });
    await insert({ sendAfter: later });
    expect(await store.outboxDue(at, 10)).toEqual({ send: [], file: [], nextAt: later });
    await insert({ state: 'held' });
    expect(await due(at)).toEqual([]);
    await insert({ priority: -5 });
    expect(await store.outboxDue(at, 10)).toEqual({
      send: [{ acntid, host: 'smtp.example.com', dueAt: '' }],
      file: [],
      nextAt: null,
    });
    await store.recordSmtpHealth(acntid, { state: 'backoff', lastError: 'x', retryAt: soon, failureCount: 1 });
    expect(await store.outboxDue(at, 10)).toMatchObject({ send: [], nextAt: soon });
    expect(await due(soon)).toEqual([acntid]);
    await store.updateAccount(acntid, { enabled: false });
    expect(await store.outboxDue(muchLater, 10)).toEqual({ send: [], file: [], nextAt: null });
  });

  it('is asked in microseconds beside many finished entries', async () => {
    execute(
      place,
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
       INSERT INTO email_outbox (acntid, state, subject, raw, sent_at) SELECT ${acntid}, 'delivered', 'S', randomblob(200), '${at}' FROM n`,
    );
    await insert();
    await store.outboxDue(at, 10);
    const started = performance.now();
    for (let count = 0; count < 200; count += 1) expect(await due(at)).toEqual([acntid]);
    // A scan of 50,000 rows would take some 10 ms each.
    expect((performance.now() - started) / 200).toBeLessThan(2);
    expect((await store.outboxBatch(acntid, at, 10)).length).toBe(1);
  });

  it('notices that another connection has written', async () => {
    const before = await store.dataVersion();
    expect(await store.dataVersion()).toBe(before);
    execute(place, `INSERT INTO email_outbox (acntid, raw) VALUES (${acntid}, 'x')`);
    expect(await store.dataVersion()).not.toBe(before);
  });

  it('hands out what is due: more important first, then the oldest, with what applications wrote', async () => {
    const [low, usual, high] = [
      await insert({ priority: -1 }),
      await insert(),
      await insert({ priority: 7, columns: { headers: '{"X-A":"b"}' } }),
    ];
    await insert({ sendAfter: later });
    const entries = await store.outboxBatch(acntid, at, 10);
    expect(entries.map(({ id }) => id)).toEqual([high.id, usual.id, low.id]);
    expect(entries[0]).toMatchObject({
      isComposed: false,
      attemptCount: 0,
      pending: [],
      columns: { toAddresses: 'b@x.org', headers: '{"X-A":"b"}', raw: null },
    });
    expect((await store.outboxBatch(acntid, at, 2)).map(({ id }) => id)).toEqual([high.id, usual.id]);
    execute(place, `INSERT INTO email_outbox (acntid, raw, priority) VALUES (${acntid}, 'Subject: as text', 9)`);
    expect((await store.outboxBatch(acntid, at, 1))[0]?.columns.raw).toBe('Subject: as text');
  });

  it('hands out nothing more of an account that is disabled while its mail is sent', async () => {
    const { id } = await insert();
    const handedOut = async () => (await store.outboxBatch(acntid, at, 10)).map((entry) => entry.id);
    await store.updateAccount(acntid, { enabled: false });
    expect(await handedOut()).toEqual([]);
    await store.updateAccount(acntid, { enabled: true });
    expect(await handedOut()).toEqual([id]);
  });

  it('does not read more into memory than a batch may hold', async () => {
    for (let count = 0; count < 3; count += 1)
      execute(place, `INSERT INTO email_outbox (acntid, raw) VALUES (${acntid}, zeroblob(9000000))`);
    expect(await store.outboxBatch(acntid, muchLater, 10)).toHaveLength(1);
  });

  it('writes down what is about to be tried before it is, and leaves out what was cancelled in between', async () => {
    const [one, two] = [await insert(), await insert()];
    await store.changeOutbox(two.id, 'cancel', at);
    const entries = [one, two].map(({ id }) => ({ id, composed: composed(['b@x.org']), transactions: [['b@x.org']] }));
    const begun = await store.beginAttempts({ acntid, entries, at });
    expect(begun).toMatchObject([{ outboxId: one.id, recipients: ['b@x.org'] }]);
    expect([state(one.id), state(two.id)]).toEqual(['sending', 'cancelled']);
    expect(await store.outboxDetail(one.id)).toMatchObject({
      attemptCount: 1,
      messageIdHeader: '<id@x.org>',
      smtpFrom: 'a@x.org',
      attempts: [{ phase: 'sending', verdict: null, recipientCount: 1, startedAt: at }],
      recipients: [{ address: 'b@x.org', verdict: null }],
    });
    expect(Buffer.from((await store.outboxRaw(one.id)) ?? []).toString()).toMatch(/^From: a@x\.org/);
    expect(await store.beginAttempts({ acntid, entries, at })).toEqual([]);
    expect(await store.outboxUsage(acntid, at)).toEqual({ messagesLastMinute: 1, recipientsLastDay: 1 });
    expect(await store.outboxUsage(acntid, soon)).toEqual({ messagesLastMinute: 0, recipientsLastDay: 1 });
    expect(await store.outboxUsage(acntid, '2026-11-25T12:01:00.000Z')).toEqual({
      messagesLastMinute: 0,
      recipientsLastDay: 0,
    });
  });

  it('lets a body leave only for an attempt that is still running', async () => {
    const { id } = await insert();
    const [attempt] = await begin(id);
    const attemptId = attempt?.attemptId ?? 0;
    expect(await store.recordAttempts({ dataStarted: [attemptId, 999], bodySent: [], finished: [] })).toEqual([999]);
    expect((await store.outboxDetail(id))?.attempts[0]?.phase).toBe('data_started');
    await store.recordAttempts({ dataStarted: [], bodySent: [attemptId], finished: [] });
    expect((await store.outboxDetail(id))?.attempts[0]?.phase).toBe('body_sent');
    await finish([result(attemptId, id, [recipient('b@x.org', 'delivered')])]);
    expect(await store.recordAttempts({ dataStarted: [attemptId], bodySent: [], finished: [] })).toEqual([attemptId]);
    // A second verdict of the same attempt changes nothing.
    await finish([result(attemptId, id, [recipient('b@x.org', 'rejected')])]);
    expect(state(id)).toBe('delivered');
  });

  it('makes the state of an entry of its recipients, and plans what is left to do', async () => {
    const { id } = await insert({ columns: { inReplyToId: 5 } });
    const [attempt] = await begin(id, ['b@x.org', 'c@x.org']);
    await finish([
      result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'delivered'), recipient('c@x.org', 'deferred')], {
        lastError: '451 later',
      }),
    ]);
    expect(await store.outboxDetail(id)).toMatchObject({
      state: 'delivered',
      sentAt: at,
      nextAttemptAt: soon,
      lastError: '451 later',
    });
    expect(await followUps()).toEqual([`answer ${id}`, `file ${id}`]);
    expect(await due(at)).toEqual([]);
    expect(await due(soon)).toEqual([acntid]);
    expect((await store.outboxBatch(acntid, soon, 10))[0]).toMatchObject({
      isComposed: true,
      pending: ['c@x.org'],
      firstAttemptAt: at,
    });
    const [second] = await store.beginAttempts({
      acntid,
      entries: [{ id, composed: null, transactions: [['c@x.org']] }],
      at: soon,
    });
    await finish([result(second?.attemptId ?? 0, id, [recipient('c@x.org', 'rejected')], { at: soon })]);
    expect(await store.outboxDetail(id)).toMatchObject({ state: 'delivered', sentAt: at, nextAttemptAt: null });
    expect(changes()).toEqual(['outbox_delivered', 'outbox_rejected']);
  });

  it('settles an entry of several transactions when the last has ended', async () => {
    const { id } = await insert();
    const [one, two] = await begin(id, ['b@x.org', 'c@x.org'], [['b@x.org'], ['c@x.org']]);
    await finish([result(one?.attemptId ?? 0, id, [recipient('b@x.org', 'delivered')])]);
    expect(state(id)).toBe('sending');
    await finish([result(two?.attemptId ?? 0, id, [recipient('c@x.org', 'unknown')])]);
    expect(state(id)).toBe('unknown');
    expect(await followUps()).toEqual([`file ${id}`, `lookup ${id}`]);
  });

  it('plans the copy and the answered flag at the first delivery, whatever else becomes of the entry', async () => {
    const half = async () => {
      const { id } = await insert({ columns: { inReplyToId: 5 } });
      const [one, two] = await begin(id, ['b@x.org', 'c@x.org'], [['b@x.org'], ['c@x.org']]);
      await finish([result(one?.attemptId ?? 0, id, [recipient('b@x.org', 'delivered')])]);
      return { id, other: two?.attemptId ?? 0 };
    };
    const planned = async (id: number): Promise<string[]> =>
      (await followUps()).filter((one) => one.endsWith(` ${id}`)).sort();
    for (const resolution of ['sent', 'resend'] as const) {
      const { id, other } = await half();
      await finish([result(other, id, [recipient('c@x.org', 'unknown')])]);
      expect(await planned(id)).toEqual([`answer ${id}`, `file ${id}`, `lookup ${id}`]);
      await store.resolveUnknown(id, resolution, soon);
      expect(await planned(id)).toEqual([`answer ${id}`, `file ${id}`]);
    }
    const released = await half();
    await store.releaseAttempts([released.other], 'auth_failed: no', at);
    expect(await planned(released.id)).toEqual([`answer ${released.id}`, `file ${released.id}`]);
    const died = await half();
    await store.recoverAttempts(acntid, at);
    expect(await planned(died.id)).toEqual([`answer ${died.id}`, `file ${died.id}`]);
  });

  it('takes attempts back as if they had never begun', async () => {
    const { id } = await insert();
    const [attempt] = await begin(id);
    await store.releaseAttempts([attempt?.attemptId ?? 0], 'auth_failed: no', at);
    expect(await store.outboxDetail(id)).toMatchObject({
      state: 'queued',
      attemptCount: 0,
      attempts: [],
      lastError: 'auth_failed: no',
    });
    expect(await due(at)).toEqual([acntid]);
  });

  it('ends what a dead engine left: before the body it is due again, after it nobody knows', async () => {
    const [before, after] = [await insert(), await insert()];
    await begin(before.id);
    const [started] = await begin(after.id);
    await store.recordAttempts({ dataStarted: [started?.attemptId ?? 0], bodySent: [], finished: [] });
    expect(await due(at)).toEqual([acntid]);
    expect(await store.recoverAttempts(acntid + 1, at)).toEqual({ retried: 0, unknown: 0 });
    expect(await store.recoverAttempts(acntid, at)).toEqual({ retried: 1, unknown: 1 });
    expect([state(before.id), state(after.id)]).toEqual(['deferred', 'unknown']);
    expect((await store.outboxBatch(acntid, at, 10)).map(({ id }) => id)).toEqual([before.id]);
    expect(await store.recoverAttempts(null, at)).toEqual({ retried: 0, unknown: 0 });
    expect(changes()).toEqual(['outbox_unknown']);
  });

  it('lets a mail wait that was there at three deaths in a row', async () => {
    const { id } = await insert();
    for (let death = 0; death < 3; death += 1) {
      await store.beginAttempts({
        acntid,
        entries: [{ id, composed: death === 0 ? composed(['b@x.org']) : null, transactions: [['b@x.org']] }],
        at,
      });
      await store.recoverAttempts(null, at);
    }
    expect((await store.outboxDetail(id))?.nextAttemptAt).toBe('2026-11-24T12:15:00.000Z');
  });

  it('keeps a bad entry with its reason; one that was put back by hand is what its recipients make it', async () => {
    const bad = await insert();
    await store.rejectEntry(bad.id, 'subject: missing', at);
    expect(await store.outboxDetail(bad.id)).toMatchObject({
      state: 'rejected',
      lastError: 'subject: missing',
      attemptCount: 0,
    });
    const { id } = await insert();
    const [attempt] = await begin(id);
    await finish([result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'unknown')])]);
    execute(place, `UPDATE email_outbox SET state = 'queued' WHERE id = ${id}`);
    await store.rejectEntry(id, 'recipients: nobody is left', at);
    expect(state(id)).toBe('unknown');
  });

  it('does not try again what has expired, nor goes round in circles over it', async () => {
    const { id } = await insert();
    const [attempt] = await begin(id);
    await finish([result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'rejected')])]);
    execute(place, `UPDATE email_outbox SET raw = NULL WHERE id = ${id}`);
    await expect(store.changeOutbox(id, 'retry', at)).rejects.toMatchObject({ code: 'outbox_not_possible' });
    execute(place, `UPDATE email_outbox SET state = 'queued'; UPDATE email_outbox_recipients SET verdict = NULL`);
    await store.rejectEntry(id, 'raw: gone', at);
    expect([state(id), await due(at)]).toEqual(['rejected', []]);
  });

  it('shows a refused login as the account’s state, also when reading goes well', async () => {
    const health = { state: 'auth_error', lastError: 'auth_failed: smtp', retryAt: soon, failureCount: 1 } as const;
    await store.recordSmtpHealth(acntid, health);
    const fine = { state: 'ok', lastError: null, retryAt: null, checkedAt: at, failureCount: 0 } as const;
    await store.recordHealth(acntid, fine);
    expect(await store.account(acntid)).toMatchObject({
      state: 'auth_error',
      lastError: 'auth_failed: smtp',
      retryAt: null,
    });
    expect(await store.sendingState(acntid)).toMatchObject({
      smtpHealth: health,
      sentCopy: 'auto',
      sentCopyLearned: null,
    });
    await store.recordSmtpHealth(acntid, { state: 'ok', lastError: null, retryAt: null, failureCount: 0 });
    expect(await store.account(acntid)).toMatchObject({ state: 'ok', lastError: null });
    await store.recordSmtpHealth(acntid, health);
    await store.updateAccount(acntid, { password: 'new' });
    expect((await store.sendingState(acntid))?.smtpHealth).toEqual({
      state: 'ok',
      lastError: null,
      retryAt: null,
      failureCount: 0,
    });
  });

  it('remembers follow-ups until they are done', async () => {
    const { id } = await insert();
    const [attempt] = await begin(id);
    await finish([result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'delivered')])]);
    expect((await store.outboxDue(soon, 10)).file).toEqual([{ acntid, host: 'mail.example.com', dueAt: soon }]);
    expect((await store.outboxDue(at, 10)).nextAt).toBe(soon);
    expect((await store.followUps(acntid, soon, 10))[0]).toMatchObject({
      kind: 'file',
      tries: 0,
      isBegun: false,
      messageIdHeader: '<id@x.org>',
      xBackprocId: 'id',
      sentAt: at,
      attemptedAt: at,
      recipients: ['b@x.org'],
    });
    await store.recordFollowUp({ outboxId: id, kind: 'file', nextAt: muchLater, isBegun: true, fileError: 'no room' });
    expect(await followUps(soon)).toEqual([]);
    expect((await store.followUps(acntid, muchLater, 10))[0]).toMatchObject({ tries: 1, isBegun: true });
    await store.postponeFollowUps(acntid, muchLater, later);
    expect(await followUps(muchLater)).toEqual([]);
    await store.recordFollowUp({ outboxId: id, kind: 'file', nextAt: null, filedAt: soon });
    expect(await store.outboxDetail(id)).toMatchObject({ filedAt: soon, fileError: null });
    expect(await followUps(later)).toEqual([]);
    await store.learnSentCopy(acntid, 'server');
    expect((await store.sendingState(acntid))?.sentCopyLearned).toBe('server');
  });

  it('tells whether another entry of the account has the same Message-ID', async () => {
    const entry = async (messageIdHeader: string | null): Promise<number> =>
      (await insert({ columns: { messageIdHeader } })).id;
    const [one, other, alone, none] = [
      await entry('<a@x>'),
      await entry('<a@x>'),
      await entry('<b@x>'),
      await entry(null),
    ];
    const foreign = await store.addAccount(newAccount('ben@example.com', { smtp }));
    execute(place, `INSERT INTO email_outbox (acntid, message_id_header) VALUES (${foreign}, '<b@x>')`);
    await entry(null);
    const shared = await Promise.all([one, other, alone, none].map((id) => store.isMessageIdShared(id)));
    expect(shared).toEqual([true, true, false, false]);
  });

  it('holds all that waits at once, with what a restored copy calls sending and those who were put off, and leaves alone what is over', async () => {
    const [queued, deferred, sending, over] = [await insert(), await insert(), await insert(), await insert()];
    const [partly, unsure, ended] = [await insert(), await insert(), await insert()];
    const [tried] = await begin(deferred.id, ['b@x.org']);
    await finish([result(tried?.attemptId ?? 0, deferred.id, [recipient('b@x.org', 'deferred')])]);
    for (const { id } of [partly, ended]) {
      const [attempt] = await begin(id, ['b@x.org', 'c@x.org']);
      const verdicts = [recipient('b@x.org', 'delivered'), recipient('c@x.org', 'deferred')];
      await finish([result(attempt?.attemptId ?? 0, id, verdicts)]);
    }
    await begin(sending.id, ['b@x.org']);
    const [handedOver] = await begin(unsure.id, ['b@x.org']);
    await store.recordAttempts({ dataStarted: [handedOver?.attemptId ?? 0], bodySent: [], finished: [] });
    await store.changeOutbox(over.id, 'cancel', at);
    expect(await store.holdWaiting()).toBe(6);
    const all = [queued, deferred, sending, partly, unsure, ended, over].map(({ id }) => state(id));
    expect(all).toEqual(['held', 'held', 'held', 'held', 'held', 'held', 'cancelled']);
    await store.recoverAttempts(null, muchLater);
    expect([await store.outboxBatch(acntid, muchLater, 10), await due(muchLater)]).toEqual([[], []]);
    await store.changeOutbox(ended.id, 'cancel', at);
    for (const { id } of [deferred, sending, partly, unsure]) await store.changeOutbox(id, 'retry', at);
    await store.recoverAttempts(acntid, at);
    expect([state(ended.id), state(unsure.id)]).toEqual(['delivered', 'unknown']);
    expect((await store.outboxBatch(acntid, at, 10)).map(({ id, pending }) => [id, pending])).toEqual([
      [deferred.id, ['b@x.org']],
      [sending.id, ['b@x.org']],
      [partly.id, ['c@x.org']],
    ]);
  });

  it('lets people retry, hold and cancel where that makes sense, and says where it does not', async () => {
    const { id } = await insert();
    await store.changeOutbox(id, 'hold', at);
    expect([state(id), await due(at)]).toEqual(['held', []]);
    await store.changeOutbox(id, 'retry', at);
    expect(await due(at)).toEqual([acntid]);
    const [attempt] = await begin(id, ['b@x.org', 'c@x.org']);
    for (const action of ['retry', 'hold', 'cancel'] as const)
      await expect(store.changeOutbox(id, action, at)).rejects.toMatchObject({ code: 'outbox_not_possible' });
    await finish([
      result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'delivered'), recipient('c@x.org', 'rejected')]),
    ]);
    await store.changeOutbox(id, 'retry', at);
    expect((await store.outboxBatch(acntid, at, 10))[0]?.pending).toEqual(['c@x.org']);
    await store.changeOutbox(id, 'cancel', at);
    expect([state(id), await due(at)]).toEqual(['delivered', []]);
    await expect(store.changeOutbox(id, 'cancel', at)).rejects.toMatchObject({ code: 'outbox_not_possible' });
    await expect(store.changeOutbox(99, 'retry', at)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('settles an unknown entry as a person says', async () => {
    const make = async (): Promise<number> => {
      const { id } = await insert();
      const [attempt] = await begin(id);
      await finish([result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'unknown')])]);
      return id;
    };
    const [sent, found, again] = [await make(), await make(), await make()];
    await store.resolveUnknown(sent, 'sent', soon);
    expect(await store.outboxDetail(sent)).toMatchObject({ state: 'delivered', resolved: 'sent', sentAt: soon });
    await store.resolveUnknown(found, 'found', soon);
    expect(await store.outboxDetail(found)).toMatchObject({ state: 'delivered', filedAt: soon });
    await store.resolveUnknown(again, 'resend', soon);
    expect((await store.outboxBatch(acntid, soon, 10)).map(({ id, pending }) => [id, pending])).toEqual([
      [again, ['b@x.org']],
    ]);
    expect(await followUps()).toEqual([`file ${sent}`]);
    await expect(store.resolveUnknown(sent, 'resend', soon)).rejects.toMatchObject({ code: 'outbox_not_possible' });
    await expect(store.resolveUnknown(99, 'sent', soon)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('that an application called unknown or delivered is not sent when a person says that it was', async () => {
    const [never, tried, delivered] = [(await insert()).id, (await insert()).id, (await insert()).id];
    const [attempt] = await begin(tried, ['b@x.org']);
    await finish([result(attempt?.attemptId ?? 0, tried, [recipient('b@x.org', 'deferred')])]);
    execute(
      place,
      `UPDATE email_outbox SET state = 'unknown' WHERE id IN (${never}, ${tried});
       UPDATE email_outbox SET state = 'delivered' WHERE id = ${delivered};`,
    );
    await store.resolveUnknown(never, 'sent', soon);
    await store.resolveUnknown(tried, 'sent', soon);
    await expect(store.changeOutbox(delivered, 'retry', soon)).rejects.toMatchObject({ code: 'outbox_not_possible' });
    expect([never, tried, delivered].map((id) => state(id))).toEqual(['delivered', 'delivered', 'delivered']);
    expect(await store.outboxDetail(never)).toMatchObject({ resolved: 'sent', sentAt: soon, lastError: null });
    expect(await followUps()).toEqual([`file ${tried}`]);
    expect(await due(muchLater)).toEqual([]);
    expect(changes()).toEqual(['outbox_delivered', 'outbox_delivered']);
  });

  it('lists entries, newest first', async () => {
    const ids = [(await insert()).id, (await insert({ state: 'held' })).id, (await insert()).id];
    expect((await store.outboxEntries({ limit: 2 })).map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    expect((await store.outboxEntries({ limit: 9, states: ['held'], acntid })).map(({ id }) => id)).toEqual([ids[1]]);
    expect((await store.outboxEntries({ limit: 9, beforeId: ids[1] ?? 0 })).map(({ id }) => id)).toEqual([ids[0]]);
    expect(await store.outboxDetail(99)).toBeUndefined();
    expect(await store.outboxRaw(99)).toBeUndefined();
  });

  it('links the copy that sync finds in Sent, and nothing that lies elsewhere', async () => {
    const { id } = await insert();
    const unlinked = await insert();
    const messageIdHeader = '<mail 7@example.com>';
    for (const one of [id, unlinked.id]) {
      const header = one === id ? messageIdHeader : '<other@x>';
      const [attempt] = await store.beginAttempts({
        acntid,
        entries: [
          { id: one, composed: composed(['b@x.org'], { messageIdHeader: header }), transactions: [['b@x.org']] },
        ],
        at,
      });
      await finish([result(attempt?.attemptId ?? 0, one, [recipient('b@x.org', 'delivered')])]);
    }
    const create = [listedFolder('INBOX', { role: 'inbox' }), listedFolder('Sent', { role: 'sent' })];
    const folders = await store.applyFolderPlan(acntid, { create, update: [], missing: [] }, at);
    const [inbox = 0, sent = 0] = ['INBOX', 'Sent'].map(
      (path) => folders.find((folder) => folder.path === path)?.emfdid ?? 0,
    );
    for (const emfdid of [inbox, sent]) {
      await store.recordListing(listing(emfdid, 7, [[7, 7]]));
      await store.storeBatch(batch(emfdid, [mail(7)]));
      expect((await store.outboxDetail(id))?.filedAt === null).toBe(emfdid === inbox);
    }
    const [row] = select<{ id: number }>(place, `SELECT id FROM email_messages WHERE emfdid = ${sent}`);
    expect(await store.outboxDetail(id)).toMatchObject({ sentMessageId: row?.id, filedAt: at });
    expect(await followUps()).toEqual([`file ${unlinked.id}`]);
    expect(await store.hasStoredCopy(acntid, messageIdHeader, ['Sent'])).toBe(true);
    expect(await store.hasStoredCopy(acntid, messageIdHeader, ['Other'])).toBe(false);
    expect(await store.messagePlaces(acntid, row?.id ?? 0)).toMatchObject([
      { path: 'Sent', uid: 7 },
      { path: 'INBOX', uid: 7 },
    ]);
    expect(await store.answeredMessage(acntid, row?.id ?? 0)).toEqual({
      messageIdHeader,
      inReplyTo: null,
      references: null,
    });
    expect(await store.answeredMessage(acntid + 1, row?.id ?? 0)).toBeUndefined();
    expect(Buffer.from((await store.storedMail(acntid, 'message_id', row?.id ?? 0)) ?? []).toString()).toMatch(
      /^Subject: mail 7/,
    );
    expect(await store.storedMail(acntid + 1, 'message_id', row?.id ?? 0)).toBeUndefined();
  });

  it('links a copy in Sent whose content was stored from another folder', async () => {
    const { id } = await insert();
    const messageIdHeader = '<mail 7@example.com>';
    const [attempt] = await store.beginAttempts({
      acntid,
      entries: [{ id, composed: composed(['b@x.org'], { messageIdHeader }), transactions: [['b@x.org']] }],
      at,
    });
    await finish([result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'delivered')])]);
    const create = [listedFolder('All', { role: 'all' }), listedFolder('Sent', { role: 'sent' })];
    const folders = await store.applyFolderPlan(acntid, { create, update: [], missing: [] }, at);
    const [all = 0, sent = 0] = ['All', 'Sent'].map(
      (path) => folders.find((folder) => folder.path === path)?.emfdid ?? 0,
    );
    for (const emfdid of [all, sent]) await store.recordListing(listing(emfdid, 7, [[7, 7]]));
    await store.storeBatch(batch(all, [mail(7, undefined, { emailId: 'M7' })]));
    const contentId = (await store.contentsByEmailId(acntid, ['M7'])).get('M7')?.contentId ?? 0;
    const placement = { uid: 7, flags: '', internalDate: at, size: 10, modseq: null, emailId: 'M7', contentId };
    await store.storeBatch(batch(sent, [], { placements: [placement], settled: [[7, 7]] }));
    expect((await store.outboxDetail(id))?.filedAt).toBe(at);
  });

  it('lets nothing wait for years because of a clock that was wrong', async () => {
    const [deferred, later] = [await insert(), await insert({ sendAfter: '2036-01-01T00:00:00.000Z' })];
    execute(
      place,
      `UPDATE email_outbox SET state = 'deferred', next_attempt_at = '2036-01-01T00:00:00.000Z' WHERE id = ${deferred.id};
       INSERT INTO outbox_followups (outbox_id, kind, acntid, due_at) VALUES (${later.id}, 'file', ${acntid}, '2036-01-01T00:00:00.000Z');`,
    );
    await store.recordSmtpHealth(acntid, {
      state: 'backoff',
      lastError: 'x',
      retryAt: '2036-01-01T00:00:00.000Z',
      failureCount: 1,
    });
    expect(await store.outboxDue(at, 10)).toMatchObject({ send: [], file: [] });
    await store.clampWaits(at, 1_800_000);
    expect(await store.outboxDue(at, 10)).toMatchObject({ send: [{ acntid }], file: [{ acntid }] });
    expect((await store.outboxBatch(acntid, at, 10)).map(({ id }) => id)).toEqual([deferred.id]);
  });

  it('lets a refused login wait for as long as an operator is given, and not for years', async () => {
    await insert();
    const refusedUntil = async (retryAt: string) => {
      await store.recordSmtpHealth(acntid, { state: 'auth_error', lastError: 'x', retryAt, failureCount: 1 });
      await store.clampWaits(at, 7 * 24 * 60 * 60_000);
      return (await store.outboxDue(at, 10)).send;
    };
    expect(await refusedUntil('2026-11-30T12:00:00.000Z')).toEqual([]);
    expect(await refusedUntil('2036-01-01T00:00:00.000Z')).toMatchObject([{ acntid }]);
  });

  it('counts no days from an attempt that lies ahead', async () => {
    const { id } = await insert();
    const [attempt] = await begin(id);
    await finish([result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'deferred')])]);
    const firstAttemptOn = async (now: string) => {
      execute(place, 'UPDATE email_outbox SET next_attempt_at = NULL');
      execute(place, 'UPDATE email_outbox_recipients SET next_attempt_at = NULL');
      return (await store.outboxBatch(acntid, now, 1)).map(({ firstAttemptAt }) => firstAttemptAt);
    };
    expect(await firstAttemptOn(later)).toEqual([at]);
    expect(await firstAttemptOn('2016-11-24T12:00:00.000Z')).toEqual([null]);
  });

  it('does not use up days to come for what was sent by a clock that was wrong', async () => {
    const { id } = await insert();
    await begin(id);
    const recipientsOn = async (now: string) => (await store.outboxUsage(acntid, now)).recipientsLastDay;
    expect(await recipientsOn('2026-11-24T02:00:00.000Z')).toBe(1);
    expect(await recipientsOn('2016-11-24T12:00:00.000Z')).toBe(0);
  });

  it('is not begun a second time while it is under way, whatever state an application gives it', async () => {
    const { id } = await insert();
    const [attempt] = await begin(id);
    execute(place, `UPDATE email_outbox SET state = 'queued' WHERE id = ${id}`);
    expect(await store.outboxBatch(acntid, at, 10)).toEqual([]);
    expect(
      await store.beginAttempts({ acntid, entries: [{ id, composed: null, transactions: [['b@x.org']] }], at }),
    ).toEqual([]);
    await finish([result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'delivered')])]);
    expect(state(id)).toBe('delivered');
  });

  it('that was put back by hand is ended first when the engine that sent it is dead', async () => {
    const [begun, left, cancelled] = [await insert(), await insert(), await insert()];
    const [attempt] = await begin(begun.id);
    await begin(left.id);
    await begin(cancelled.id);
    await store.recordAttempts({ dataStarted: [attempt?.attemptId ?? 0], bodySent: [], finished: [] });
    execute(
      place,
      `UPDATE email_outbox SET state = 'queued' WHERE id <> ${cancelled.id};
       UPDATE email_outbox SET state = 'cancelled' WHERE id = ${cancelled.id};`,
    );
    expect(await store.recoverAttempts(acntid + 1, at)).toEqual({ retried: 0, unknown: 0 });
    expect(await store.recoverAttempts(acntid, at)).toEqual({ retried: 1, unknown: 1 });
    expect([begun, left, cancelled].map(({ id }) => state(id))).toEqual(['unknown', 'deferred', 'cancelled']);
    expect((await store.outboxBatch(acntid, at, 10)).map(({ id }) => id)).toEqual([left.id]);
  });

  it('goes with its account', async () => {
    const { id } = await insert();
    const [attempt] = await begin(id);
    await finish([result(attempt?.attemptId ?? 0, id, [recipient('b@x.org', 'delivered')])]);
    await removeAccount(store, acntid);
    for (const table of [
      'email_outbox',
      'email_outbox_recipients',
      'email_outbox_attempts',
      'outbox_followups',
      'outbox_usage',
    ])
      expect(select(place, `SELECT * FROM ${table}`)).toEqual([]);
  });
});
