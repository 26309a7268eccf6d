import fc from 'fast-check';
import { createJiti } from 'jiti';
import { describe, expect, it } from 'vitest';
import { readDefines } from '../../../src/config/php/defines.ts';
import { convert, toConfigText } from '../../../src/config/php/to-config.ts';
import { checkConfig } from '../../../src/config/problems.ts';

const file = '/home/edokumenty/public_html/apps/edokumenty/config.inc';
const read = (body: string) => readDefines(`<?php\n${body}`, file);
const valueIn = (expression: string): unknown => read(`define('X', ${expression});`).defines[0]?.value;
const converted = (body: string) => convert(read(body));
const values = (body: string): Record<string, unknown> =>
  Object.fromEntries(converted(body).values.map(({ name, value }) => [name, value]));

describe('the value of a PHP constant', () => {
  it.each([
    ['TRUE', true],
    ['false', false],
    ['null', null],
    ['600', 600],
    ['60 * 30', 1800],
    ['2 + 3 * 4', 14],
    ['0x1F', 31],
    ['010', 8],
    ['1_000', 1000],
    ['-1.5', -1.5],
    ["'it\\'s'", "it's"],
    ['"a\\tb"', 'a\tb'],
    ["'a' . 1 . TRUE", 'a11'],
    ["<<<'E'\nnow\nE\n", 'now'],
    ["__DIR__ . '/data'", '/home/edokumenty/public_html/apps/edokumenty/data'],
    ["dirname(__FILE__) . '/data'", '/home/edokumenty/public_html/apps/edokumenty/data'],
    ["dirname(__DIR__) . DIRECTORY_SEPARATOR . 'x'", '/home/edokumenty/public_html/apps/x'],
  ])('%s is %j', (expression, value) => {
    expect(valueIn(expression)).toEqual(value);
  });

  it.each(['$x', '"a$x"', "getenv('X')", 'OTHER', 'array(1)', "['a']", 'true ? 1 : 2', 'new Foo', '1 . $y', "'1' + 1"])(
    '%s is known to PHP alone, and not guessed at',
    (expression) => {
      const [define] = read(`define('X', ${expression});`).defines;
      expect([define?.value, define?.why]).toEqual([undefined, expect.stringMatching(/./)]);
    },
  );

  it('may rest on constants before it', () => {
    const { defines } = read(
      "define('BASE', '/srv');\nconst SUB = BASE . '/x', OTHER = 1;\n\\define('Z', SUB . OTHER);",
    );
    expect(defines.map(({ name, value, line }) => [name, value, line])).toEqual([
      ['BASE', '/srv', 2],
      ['SUB', '/srv/x', 3],
      ['OTHER', 1, 3],
      ['Z', '/srv/x1', 4],
    ]);
  });
});

describe('a config.inc', () => {
  it('of the manual is converted, slip of the pen included', () => {
    const result = converted(`
define('BACKPROC_PID_LOCATION', __DIR__.'../backproc/data/pid');
define('EMAIL_OUTBOX_ENABLED', TRUE);
define('EMAIL_BACKGROUND_SYNC_ENABLED', TRUE);
define('EMAIL_AUTH_ERROR_CHECK_RETRY_TIME', 1800);`);
    expect(result.values.map(({ name, value, line }) => [name, value, line])).toEqual([
      ['BACKPROC_PID_LOCATION', '/home/edokumenty/public_html/apps/backproc/data/pid', 3],
      ['EMAIL_OUTBOX_ENABLED', true, 4],
      ['EMAIL_BACKGROUND_SYNC_ENABLED', true, 5],
      ['EMAIL_AUTH_ERROR_CHECK_RETRY_TIME', 1800, 6],
    ]);
    expect(result.remarks).toEqual([expect.stringMatching(/^line 3: BACKPROC_PID_LOCATION: a slash is missing/)]);
  });

  it('means what it says in other words', () => {
    expect(
      values(`define('EMAIL_OUTBOX_ENABLED', 0); define('EMAIL_IDLE_ENABLED', '1'); define('BG_MAX_THREADS', ' 8');
        define('BG_MAX_BYTES_PER_DAY_PER_ACCOUNT', FALSE); define('EMAIL_PICKUP_LOCATION', '');`),
    ).toEqual({
      EMAIL_OUTBOX_ENABLED: false,
      EMAIL_IDLE_ENABLED: true,
      BG_MAX_THREADS: 8,
      BG_MAX_BYTES_PER_DAY_PER_ACCOUNT: null,
      EMAIL_PICKUP_LOCATION: null,
    });
  });

  it('has its mistakes named with their lines, and its other constants by name alone', () => {
    const result = converted(
      "define('DB_PASSWORD', 'tajne');\ndefine('BG_MAX_THREADS', 0);\ndefine('BG_LOG_LEVEL', $level);\ndefine($name, 1);",
    );
    expect(result.unknown).toEqual(['DB_PASSWORD (line 2)']);
    expect(result.mistakes).toEqual([
      'line 3: BG_MAX_THREADS is 0. Expected: a whole number of threads from 1 to 64.',
      expect.stringMatching(/^line 4: BG_LOG_LEVEL is not read: \$?variable/),
    ]);
    expect(toConfigText(result, file)).not.toContain('tajne');
  });

  it('tells of what was defined twice or under a condition, and takes the first', () => {
    const result = converted(`define('BG_MAX_THREADS', 4); define('BG_MAX_THREADS', 5);
if (PHP_OS === 'x') { define('BG_LOG_LEVEL', 'debug'); }
if (!defined('EMAIL_IDLE_ENABLED')) define('EMAIL_IDLE_ENABLED', false);
defined('EMAIL_OUTBOX_ENABLED') or define('EMAIL_OUTBOX_ENABLED', false);`);
    expect(result.values.map(({ name, value }) => [name, value])).toEqual([
      ['BG_MAX_THREADS', 4],
      ['BG_LOG_LEVEL', 'debug'],
      ['EMAIL_IDLE_ENABLED', false],
      ['EMAIL_OUTBOX_ENABLED', false],
    ]);
    expect(result.remarks).toEqual([
      'line 2: BG_MAX_THREADS: defined again; the first one counts',
      'line 3: BG_LOG_LEVEL: stands under a condition; taken as if it held',
    ]);
  });

  it('that is no PHP is refused with its line', () => {
    expect(() => read('define(')).toThrow(
      expect.objectContaining({ code: 'config_invalid', detail: expect.stringMatching(/line 2/) as unknown }),
    );
  });

  it('becomes a config.ts that loads and checks, whatever stands in it', async () => {
    const jiti = createJiti(import.meta.url, { fsCache: false, moduleCache: false });
    const phpText = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed().replaceAll('\0', ''));
    const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
    await fc.assert(
      fc.asyncProperty(phpText, phpText, fc.integer({ min: -5, max: 70 }), async (path, other, threads) => {
        const result = converted(
          `define('BACKPROC_LOG_LOCATION', ${quote(path)});\ndefine('BG_MAX_THREADS', ${threads});\ndefine(${quote(other)}, ${quote(path)});`,
        );
        const text = toConfigText(result, `${file}${other}`);
        const loaded = (await jiti.evalModule(text, { filename: '/tmp/config.ts' })) as Record<string, unknown>;
        const given = Object.fromEntries(Object.entries(loaded).filter(([name]) => /^(BACKPROC|BG)_/.test(name)));
        const expected = Object.fromEntries(result.values.map(({ name, value }) => [name, value]));
        expect(given).toEqual(expected);
        checkConfig(given, 'test');
      }),
      { numRuns: 60 },
    );
  });
});
