import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { exportPart } from '../../../src/mime/export-part.ts';
import { readHeaderFields } from '../../../src/mime/header-fields.ts';
import { readMessage } from '../../../src/mime/read-message.ts';

const folder = join(import.meta.dirname, '../../fixtures/mail');
const mails = readdirSync(folder).filter((name) => name.endsWith('.eml'));
const rawOf = (name: string): Buffer => readFileSync(join(folder, name));
const wordsOf = (text: string): string[] => text.normalize('NFC').match(/[\p{L}\p{N}]{2,}/gu) ?? [];

describe('mail of our own', () => {
  it.each(mails)('is read as it was reviewed: %s', (name) => {
    const raw = rawOf(name);
    const { subject } = readHeaderFields(raw);
    const golden: unknown = JSON.parse(readFileSync(join(folder, name.replace('.eml', '.json')), 'utf8'));
    expect({ subject, ...readMessage(raw, subject ?? '') }).toEqual(golden);
  });
  it.each(mails)('has parts that are exported with the size that was listed: %s', (name) => {
    const raw = rawOf(name);
    for (const { part, size } of readMessage(raw).parts) expect(exportPart(raw, part)?.length, part).toBe(size);
  });
  it('is explained, one by one', () => {
    const notes = readFileSync(join(folder, 'README.md'), 'utf8');
    for (const name of mails) expect(notes).toContain(`| ${name.replace('.eml', '')} `);
  });

  // What it cannot: forgotten empty lines, charsets of iconv, a type without a slash; and nested texts are its body.
  const beyondIt = [
    'no-empty-line',
    'wrong-boundary',
    'utf-7',
    'cp437',
    'unclosed-inner',
    'forwarded',
    'digest',
    'bounce',
    'eight-bit',
    'shouting',
  ];
  const common = mails.filter((name) => !beyondIt.includes(name.replace('.eml', '')));
  it.each(common)('has the same words for another library: %s', async (name) => {
    const raw = rawOf(name);
    const theirs = await PostalMime.parse(raw);
    const ours = readMessage(raw);
    const known = new Set(wordsOf(`${ours.text ?? ''} ${ours.words}`.toLowerCase()));
    expect(wordsOf((theirs.text ?? '').toLowerCase()).filter((word) => !known.has(word))).toEqual([]);
    expect(theirs.attachments.map(({ filename }) => filename?.slice(0, 255) ?? '').sort()).toEqual(
      ours.parts.map(({ filename }) => filename ?? '').sort(),
    );
  });
});
