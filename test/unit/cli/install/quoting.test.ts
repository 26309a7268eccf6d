import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cronCommand,
  fstabField,
  refuseControls,
  shCommand,
  systemdCommand,
  windowsWord,
  xmlText,
} from '../../../../src/cli/install/quoting.ts';

/** What a path can hold on Unix, with what our languages stumble over more often than chance would have it. */
const nasty = fc.constantFrom(
  ' ',
  "'",
  '"',
  '\\',
  '%',
  '$',
  '`',
  '#',
  '!',
  '*',
  '&',
  ';',
  '(',
  '<',
  '~',
  'ż',
  '\u00a0',
);
const character = fc.oneof(nasty, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }));
const word = fc
  .string({ unit: character, minLength: 1, maxLength: 12 })
  .filter((text) => !/[\u0000-\u001f\u007f]/.test(text) && text.isWellFormed());
const words = fc.array(word, { minLength: 1, maxLength: 20 });

describe('a command for a shell', () => {
  it('arrives word for word', () => {
    fc.assert(
      fc.property(words, (given) => {
        const script = `printf '%s\\0' ${shCommand(given)}`;
        const { stdout } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
        expect(stdout.split('\0').slice(0, -1)).toEqual(given);
      }),
      { numRuns: 60 },
    );
  });
  it('is left as it is where nothing needs quotes', () => {
    expect(shCommand(['/usr/bin/node', '/opt/backproc/dist/main.js', '--config'])).not.toContain("'");
  });
});

describe('a command for cron', () => {
  it('is the same command after cron took the backslash from before each percent sign, and ends at none', () => {
    fc.assert(
      fc.property(words, (given) => {
        const line = cronCommand(given);
        expect(line.replaceAll('\\%', '')).not.toContain('%');
        expect(line.replaceAll('\\%', '%')).toBe(shCommand(given));
      }),
    );
  });
});

describe('a command for systemd', () => {
  /** systemd.syntax(7) and systemd.service(5), read backwards. */
  const parse = (line: string): string[] =>
    [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
      (quoted ?? plain ?? '').replace(
        /\\([\\"])|%(%)|\$(\$)/g,
        (_, escaped, percent, dollar) => escaped ?? percent ?? dollar,
      ),
    );
  it('arrives word for word, with no specifier and no variable in it', () => {
    fc.assert(
      fc.property(words, (given) => {
        expect(parse(systemdCommand(given))).toEqual(given);
      }),
    );
  });
});

describe('a field of fstab', () => {
  it('is one field, and reads as it was', () => {
    fc.assert(
      fc.property(word, (given) => {
        const field = fstabField(given);
        expect(field).not.toMatch(/[ \t#]/);
        expect(field.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))).toBe(
          given,
        );
      }),
    );
  });
});

describe('a command line for Windows', () => {
  /** CommandLineToArgvW: 2n backslashes and a quote are n backslashes and a border, 2n+1 are n and a quote. */
  const parse = (line: string): string[] => {
    const found: string[] = [];
    let current: string | null = null;
    let isQuoted = false;
    for (let at = 0; at < line.length; at += 1) {
      const slashes = /^\\*/.exec(line.slice(at))?.[0].length ?? 0;
      const next = line[at + slashes];
      if (slashes > 0) {
        current = (current ?? '') + '\\'.repeat(next === '"' ? Math.floor(slashes / 2) : slashes);
        at += slashes - 1;
        if (next === '"' && slashes % 2 === 1) {
          current += '"';
          at += 1;
        }
      } else if (line[at] === '"') {
        isQuoted = !isQuoted;
        current ??= '';
      } else if (line[at] === ' ' && !isQuoted) {
        if (current !== null) found.push(current);
        current = null;
      } else current = (current ?? '') + line[at];
    }
    return current === null ? found : [...found, current];
  };
  it('arrives word for word', () => {
    fc.assert(
      fc.property(words, (given) => {
        expect(parse(given.map(windowsWord).join(' '))).toEqual(given);
      }),
    );
  });
});

describe('text in XML', () => {
  it('holds no markup', () => expect(xmlText(`<a b="c">&'`)).toBe("&lt;a b=&quot;c&quot;&gt;&amp;'"));
});

describe('a path with a line end', () => {
  it('is refused: it would begin a line of its own in a crontab', () => {
    expect(() => refuseControls(['/opt', '/srv/a\n* * * * * root rm'])).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });
});
