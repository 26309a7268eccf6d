/** BACKPROC_RUN_AS, as `config check` sees it. */
import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { checkRunAs } from '../../../src/cli/run-as.ts';

describe.skipIf(process.platform === 'win32')('config check of BACKPROC_RUN_AS', () => {
  it('refuses a name that is nobody’s', () => {
    expect(() => checkRunAs({ BACKPROC_RUN_AS: 'nobody-has-this-name' })).toThrow(
      /there is no user "nobody-has-this-name"/,
    );
  });
  it('takes whoever exists, and none', () => {
    checkRunAs({ BACKPROC_RUN_AS: userInfo().username });
    checkRunAs({ BACKPROC_RUN_AS: null });
  });
});
