import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLogLine } from '../../../src/base/log-line.ts';

const at = '2014-01-12 22:28:05';
const lineForm = /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]\[#\d+\.t\d+\] .*?( \[\d+,\d+\])?$/u;

describe('a log line', () => {
  it('has the format that administrators grep for', () => {
    const line = formatLogLine({
      at,
      pid: 13817,
      thread: 't12',
      message: 'received 31468 new messages in 432s',
      place: { acntid: 53, emfdid: 824 },
    });
    expect(line).toBe('[2014-01-12 22:28:05][#13817.t12] received 31468 new messages in 432s [53,824]');
  });

  it('names folder 0 where no folder is meant, and nothing where no account is', () => {
    expect(formatLogLine({ at, pid: 1, thread: 't0', message: 'x', place: { acntid: 53 } })).toMatch(/ x \[53,0\]$/);
    expect(formatLogLine({ at, pid: 1, thread: 't0', message: 'x' })).toMatch(/\] x$/);
  });

  it('stays one line of plain text whatever the message holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (message, hasPlace) => {
        const line = formatLogLine({
          at,
          pid: 1,
          thread: 't0',
          message,
          ...(hasPlace ? { place: { acntid: 1, emfdid: 2 } } : {}),
        });
        expect(line).toMatch(lineForm);
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
        expect(line.isWellFormed()).toBe(true);
      }),
    );
  });

  it('cannot be made to look like a line of an account by what a server says', () => {
    expect(formatLogLine({ at, pid: 1, thread: 't0', message: 'NO such luck [53,824]' })).not.toMatch(/\[53,824\]$/);
  });
});
