import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../../../src/config/problems.ts';
import { applicable, describeReload } from '../../../../src/engine/control/reload.ts';

const configOf = (given: Record<string, unknown>) => checkConfig(given, 'test');
const lists = {
  EMAIL_PASSWORD_COMMAND: ['pass', 'show', 'mail'],
  EMAIL_OUTBOX_PROVIDERS: { 'smtp.example.com': { connections: 2 } },
};

describe('a configuration that is read again', () => {
  it.each([
    ['what holds from now on', { BG_MAX_THREADS: 3 }, 'changed: BG_MAX_THREADS'],
    [
      'what waits for the next start',
      { BG_LOG_FORMAT: 'json' },
      'changed: nothing; from the next start on: BG_LOG_FORMAT',
    ],
    [
      'both',
      { BG_LOG_FORMAT: 'json', BG_MAX_THREADS: 3 },
      'changed: BG_MAX_THREADS; from the next start on: BG_LOG_FORMAT',
    ],
    ['nothing', {}, 'changed: nothing'],
    ['another element of a list', { EMAIL_PASSWORD_COMMAND: ['pass'] }, 'changed: EMAIL_PASSWORD_COMMAND'],
  ])('names %s', (_, changes, words) =>
    expect(describeReload(applicable(configOf(lists), configOf({ ...structuredClone(lists), ...changes })))).toBe(
      words,
    ),
  );

  it('keeps what is fixed as it was', () =>
    expect(applicable(configOf({}), configOf({ BG_LOG_FORMAT: 'json', BG_MAX_THREADS: 3 })).config).toMatchObject({
      BG_LOG_FORMAT: 'line',
      BG_MAX_THREADS: 3,
    }));
});
