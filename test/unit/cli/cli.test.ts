import { describe, expect, it } from 'vitest';
import { catalogue, type ErrorCode } from '../../../src/base/errors.ts';
import { exitCodeOf, exitCodeOfAll } from '../../../src/cli/exit-code.ts';
import { instantArgument } from '../../../src/cli/instant-argument.ts';
import { numberArgument } from '../../../src/cli/number-argument.ts';
import { parseServerUrl } from '../../../src/cli/server-url.ts';
import { displayWidth, formatTable } from '../../../src/cli/table.ts';

const imap = { kind: 'imap', email: 'anna@example.com', allowPlaintext: false } as const;

describe('a server URL', () => {
  it.each([
    [
      'imaps://anna%40example.com@Mail.example.com',
      { host: 'mail.example.com', port: 993, security: 'tls', user: 'anna@example.com' },
    ],
    [
      'imaps://mail.example.com:1993',
      { host: 'mail.example.com', port: 1993, security: 'tls', user: 'anna@example.com' },
    ],
    ['imap://u@mail.example.com', { host: 'mail.example.com', port: 143, security: 'starttls', user: 'u' }],
    ['imap://u@127.0.0.1:10143', { host: '127.0.0.1', port: 10_143, security: 'none', user: 'u' }],
    ['imap://u@[::1]:10143', { host: '::1', port: 10_143, security: 'none', user: 'u' }],
    ['imaps://anna@Müller.example', { host: 'xn--mller-kva.example', port: 993, security: 'tls', user: 'anna' }],
    ['imap://u@127.0.0.1.evil.example', { host: '127.0.0.1.evil.example', port: 143, security: 'starttls', user: 'u' }],
  ])('%s', (text, address) => {
    expect(parseServerUrl(text, imap)).toEqual(address);
  });

  it('gives up TLS only where the administrator said so', () => {
    expect(parseServerUrl('imap://u@mail.example.com', { ...imap, allowPlaintext: true }).security).toBe('none');
  });

  it.each([
    'mail.example.com',
    'smtp://u@mail.example.com',
    'imaps://u:secret@mail.example.com',
    'imaps://%zz@mail.example.com',
    'imaps://mail.example.com:0',
    'imaps://%00@mail.example.com',
    'imaps://mail.example.com/INBOX',
    'imaps://mail.example.com?x=1',
  ])('%s is refused, and no password is repeated', (text) => {
    expect(() => parseServerUrl(text, imap)).toThrow(
      expect.objectContaining({ code: 'usage', detail: expect.not.stringContaining('secret') as unknown }),
    );
  });
});

describe('exit codes', () => {
  it('are one of the contract’s for every error', () => {
    for (const code of Object.keys(catalogue)) expect([64, 70, 75, 78]).toContain(exitCodeOf(code as ErrorCode));
  });

  it('tell the gravest of several', () => {
    const record = (code: ErrorCode) => ({ code, scope: 'account', remedy: 'retry', detail: '' }) as const;
    expect([exitCodeOfAll([]), exitCodeOfAll([record('timeout'), record('auth_failed')])]).toEqual([0, 78]);
  });
});

describe('a number argument', () => {
  it.each(['0', '-1', '1.5', 'x', '', '9007199254740993', '1e3', '0x1', '+1', '1.0', ' 1'])('refuses %j', (text) => {
    expect(() => numberArgument('ACNTID')(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('an instant argument', () => {
  it.each([
    ['2027-01-02T08:00:00Z', '2027-01-02T08:00:00.000Z'],
    ['2027-01-02T08:00:00+02:00', '2027-01-02T06:00:00.000Z'],
    ['2027-01-02 08:00z', '2027-01-02T08:00:00.000Z'],
    ['2024-02-29T23:59:59.5-00:30', '2024-03-01T00:29:59.500Z'],
  ])('reads %j', (text, instant) => expect(instantArgument('--at', text)).toBe(instant));

  it.each([
    ['11/12/2026', 'whether November or December'],
    ['1', 'the year 2001 to JavaScript'],
    ['0', 'the year 2000'],
    ['2027-01-02', 'no time'],
    ['2027-01-02T08:00', 'no zone'],
    ['2027-02-30T08:00:00Z', 'no such day'],
    ['2027-02-29T08:00:00Z', 'no leap year'],
    ['2027-13-01T08:00:00Z', 'no such month'],
    ['2027-01-02T25:00:00Z', 'no such hour'],
    ['9999-12-31T23:59:59-23:00', 'a year of five digits'],
    ['0999-12-31T23:59:59Z', 'before any mail'],
    ['tomorrow', 'words'],
    ['', 'nothing'],
  ])('refuses %j: %s', (text) => {
    expect(() => instantArgument('--at', text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('a table', () => {
  it('aligns by display width, numbers to the right, and shows control characters instead of sending them', () => {
    const table = formatTable([
      { path: '日本', count: 5 },
      { path: 'a\u001b[31m\nb', count: 1000 },
    ]);
    expect(table.split('\n')).toHaveLength(3);
    expect(table).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(table).toContain('日本');
    expect(table.split('\n')[1]).toMatch(/ {4}5$/);
  });

  it('knows wide and combining characters', () => {
    expect([displayWidth('日本'), displayWidth('e\u0301'), displayWidth('📎')]).toEqual([4, 1, 2]);
  });
});
