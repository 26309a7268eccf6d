/**
 * `npm run bench -- --reading`: the second stage beside bare MIME libraries on the same mails, in messages per second and core:
 * CPU time of the whole process, medians. "whole stage" takes everything: claims, parsing, texts, index, conversations, fsync.
 * Last, the hostile mails of the tests: what one of them takes.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { Splitter } from 'mailsplit';
import PostalMime from 'postal-mime';
import { systemClock } from '../src/base/clock.ts';
import { readHeaderFields } from '../src/mime/header-fields.ts';
import { readMessage } from '../src/mime/read-message.ts';
import { openSqliteStore } from '../src/store/sqlite/open-store.ts';
import type { Store } from '../src/store/store.ts';
import { readPending } from '../src/sync/read-pending.ts';
import { hostileMails } from '../test/support/hostile-mail.ts';
import { createMailGenerator } from '../test/support/mail-generator.ts';

type Load = 'small' | 'mixed' | 'letters';

const counts: Readonly<Record<Load, number>> = { small: 4000, mixed: 2000, letters: 2000 };
const at = '2026-11-24T12:00:00.000Z';
const goalMin = 0.8;

function mailsOf(load: Load): Buffer[] {
  const generator = createMailGenerator(7);
  return Array.from({ length: counts[load] }, (_, index) =>
    load === 'letters' ? letter(generator.next('small').raw, index) : generator.next(load).raw,
  );
}

/** What mailers make of a letter: text and HTML of the same words, quoted-printable, with a picture. */
function letter(raw: Buffer, index: number): Buffer {
  const [header = '', ...paragraphs] = raw.toString('utf8').split('\r\n\r\n');
  const text = paragraphs.join('\r\n\r\n').replace(/<[^>]*>/g, '');
  const html = text.replace(/^.+$/gm, '<p style=3D"margin:0">$&</p>');
  const part = (type: string, body: string): string =>
    `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${body}\r\n`;
  const picture = Buffer.alloc(3000, index).toString('base64').replace(/.{76}/g, '$&\r\n');
  const lines = [
    header.replace(/\r\nContent-Type: [^\r]*/, ''),
    'Content-Type: multipart/related; boundary="r"',
    '',
    '--r',
    'Content-Type: multipart/alternative; boundary="a"',
    '',
    `--a\r\n${part('text/plain', text)}`,
    `--a\r\n${part('text/html', `<html><body>${html}</body></html>`)}`,
    '--a--',
    '--r\r\nContent-Type: image/png; name="logo.png"\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64',
    '',
    picture,
    '--r--',
  ];
  return Buffer.from(lines.join('\r\n'));
}

const split = (raw: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const splitter = new Splitter();
    splitter
      .on('data', () => undefined)
      .on('end', resolve)
      .on('error', reject);
    splitter.end(raw);
  });

const readers: Readonly<Record<string, (raw: Buffer) => unknown>> = {
  'mailsplit (splits only)': split,
  mailparser: (raw) => simpleParser(raw),
  'postal-mime': (raw) => PostalMime.parse(raw),
  'our reader': (raw) => readMessage(raw),
};

const runs = 3;
const warmUp = 400;

/** Microseconds of CPU a mail. */
async function cpuOf(mails: readonly Buffer[], read: (raw: Buffer) => unknown): Promise<number> {
  for (const raw of mails.slice(0, warmUp)) await read(raw);
  const taken: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const before = process.cpuUsage();
    for (const raw of mails) await read(raw);
    taken.push(since(before) / mails.length);
  }
  return middle(taken);
}

function since(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function cpuOfStage(mails: readonly Buffer[]): Promise<number> {
  const taken: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'backproc-bench-reading-'));
    const store = await openSqliteStore({ file: join(folder, 'mail.db'), keyFile: join(folder, 'key') });
    await fill(store, mails);
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const ports = { store, log, clock: systemClock, signal: new AbortController().signal };
    const before = process.cpuUsage();
    const { readCount } = await readPending(ports, { countMax: mails.length, msMax: 600_000 });
    taken.push(since(before) / readCount);
    if (readCount !== mails.length) throw new Error(`${readCount} of ${mails.length} mails were read`);
    await store.close();
    rmSync(folder, { recursive: true });
  }
  return middle(taken);
}

async function fill(store: Store, raws: readonly Buffer[]): Promise<void> {
  const server = { host: 'mail.example.com', port: 993, security: 'tls', user: 'anna' } as const;
  const account = { email: 'anna@example.com', userId: null, name: null, imap: server, smtp: null };
  const acntid = await store.addAccount({ ...account, allowPlaintext: false, password: null });
  const inbox = {
    path: 'INBOX',
    delimiter: '/',
    role: 'inbox',
    priority: 'high',
    isSelectable: true,
    mailboxId: null,
  } as const;
  const [folder] = await store.applyFolderPlan(acntid, { create: [inbox], update: [], missing: [] }, at);
  const place = { emfdid: folder?.emfdid ?? 0, uidValidity: 7, at };
  const batch = { placements: [], quarantined: [], settled: [], day: null, isFirstSync: true };
  const nothing = {
    flagChanges: [],
    reviveIds: [],
    vanishedIds: [],
    held: null,
    forgottenQuarantine: [],
    highestModseq: null,
  };
  await store.recordListing({ ...place, ...nothing, listedUid: raws.length, pending: [[1, raws.length]] });
  for (let start = 0; start < raws.length; start += 250) {
    const messages = raws.slice(start, start + 250).map((raw, index) => incoming(raw, start + index + 1));
    await store.storeBatch({ ...place, ...batch, messages });
  }
}

const incoming = (raw: Buffer, uid: number) => ({
  uid,
  flags: '',
  internalDate: at,
  size: raw.length,
  modseq: null,
  emailId: null,
  raw,
  sha256: createHash('sha256').update(raw).digest('hex'),
  headers: readHeaderFields(raw),
});

const row = (load: string, name: string, micros: number, ours: number): string =>
  `| ${load} | ${name} | ${micros.toFixed(0)} | ${(1e6 / micros).toFixed(0)} | ${(micros / ours).toFixed(2)} |`;

function hostileRows(): string[] {
  return hostileMails().map(({ what, raw }) => {
    const started = performance.now();
    const { met } = readMessage(raw);
    return `| ${what} | ${(raw.length / 1e6).toFixed(1)} | ${(performance.now() - started).toFixed(0)} | ${met.join(', ')} |`;
  });
}

export async function benchReading(): Promise<string> {
  const rows: string[] = [];
  for (const load of ['small', 'mixed', 'letters'] as const) {
    const mails = mailsOf(load);
    const stage = await cpuOfStage(mails);
    rows.push(row(load, '**our whole stage**', stage, stage));
    for (const [name, read] of Object.entries(readers)) rows.push(row(load, name, await cpuOf(mails, read), stage));
    process.stderr.write(`reading: ${load} done\n`);
  }
  const head = `| load | what | µs CPU a mail | mails a second and core | whole stage / this (goal ≥ ${goalMin}) |\n|---|---|---|---|---|`;
  const hostile = '| hostile mail | MB | ms | limits met |\n|---|---|---|---|';
  return [head, ...rows, '', hostile, ...hostileRows()].join('\n');
}
