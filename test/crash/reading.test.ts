/**
 * kill -9 at the durable steps of reading: claims, readings, conversations, group commits. A clean run afterwards must end in the
 * same texts, parts, index and conversations as an undisturbed one. `npm test` takes every twelfth step, `npm run test:crash` all.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPending } from '../../src/sync/read-pending.ts';
import { storeMails } from '../contract/reading-fixture.ts';
import { execute, makeFolders, makePlace, openInProcess, select } from '../contract/store-fixture.ts';
import { hostileMails } from '../support/hostile-mail.ts';
import { createMailGenerator } from '../support/mail-generator.ts';

const every = process.env.npm_lifecycle_event === 'test:crash' ? 1 : 12;
const ignore = (): void => undefined;
const program = join(import.meta.dirname, '../support/reading-process.js');

describe('a reading process killed with SIGKILL', () => {
  const place = makePlace();
  const saved = mkdtempSync(join(tmpdir(), 'backproc-crash-reading-'));
  const restore = (): void => {
    rmSync(dirname(place.file), { recursive: true, force: true });
    cpSync(saved, dirname(place.file), { recursive: true });
  };
  const read = (crashAt: number) =>
    spawnSync(process.execPath, [program, place.file, place.keyFile, `${crashAt}`], { encoding: 'utf8' });
  /** By a process that nobody kills. */
  const goOn = async (): Promise<void> => {
    const { store, close } = await openInProcess(place);
    await store.raiseEpoch();
    const log = { debug: ignore, info: ignore, warn: ignore };
    const ports = { store, log, clock: () => new Date(), signal: new AbortController().signal };
    await readPending(ports, { countMax: 1e9, msMax: 600_000 });
    await close();
  };
  const state = (): unknown => [
    select(
      place,
      'SELECT id, parse_state, parse_note, preview, has_attachments, reader_version FROM email_contents ORDER BY id',
    ),
    select(place, 'SELECT * FROM email_texts ORDER BY content_id'),
    select(place, 'SELECT * FROM email_attachments ORDER BY content_id, part'),
    select(place, 'SELECT id, conversation_id FROM email_messages ORDER BY id'),
    select(place, "SELECT rowid FROM email_search WHERE email_search MATCH 'invoice' ORDER BY rowid"),
    select(place, 'SELECT * FROM reading_claims'),
  ];

  beforeAll(async () => {
    const { store, close } = await openInProcess(place);
    const { emfdids } = await makeFolders(store, 'INBOX');
    const generator = createMailGenerator(5);
    const mails = Array.from({ length: 400 }, () => generator.next('small').raw);
    await storeMails(store, emfdids[0] ?? 0, [...mails, ...hostileMails().map(({ raw }) => raw)]);
    await close();
    cpSync(dirname(place.file), saved, { recursive: true });
  });
  afterAll(() => {
    place.remove();
    rmSync(saved, { recursive: true });
  });

  it('is made up for by the next run, at whatever step it died', async () => {
    const clean = read(0);
    expect(clean.stderr).toBe('');
    const { steps } = JSON.parse(clean.stdout) as { steps: number };
    const expected = state();
    expect(steps).toBeGreaterThan(30);
    for (let step = 1 + Math.floor(Math.random() * every); step <= steps; step += every) {
      restore();
      const killed = read(step);
      // Requests are grouped by what happens to be waiting: a run may have fewer steps than the undisturbed one.
      if (killed.signal !== 'SIGKILL') expect(killed.status).toBe(0);
      await goOn();
      expect({ step, state: state() }).toEqual({ step, state: expected });
      execute(place, "INSERT INTO email_search (email_search) VALUES ('integrity-check')");
    }
    expect(JSON.parse(read(0).stdout)).toMatchObject({ readCount: 0 });
  });
});
