/** A store that this user may not look into, or that can't be written: one line that says so, whatever was asked for. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInstallation, type Installation } from '../support/installation.ts';

let installation: Installation;
beforeEach(() => {
  installation = createInstallation();
  mkdirSync(join(installation.folder, 'store'));
});
afterEach(() => installation.remove());

const told = {
  code: 75,
  stdout: '',
  stderr: expect.stringMatching(/^backproc: The store could not be read or written\. .*\n$/),
};

describe.runIf(process.platform !== 'win32')('a store', () => {
  it.each(['run', 'run --once'])('whose lock can’t be opened is told by %s', async (command) => {
    // What root can't open either.
    mkdirSync(`${installation.storeFile}.lock`);
    expect(await installation.run(...command.split(' '))).toMatchObject(told);
  });

  it('whose folder can’t be made is told', async () => {
    rmSync(join(installation.folder, 'store'), { recursive: true });
    symlinkSync('store', join(installation.folder, 'store'));
    expect(await installation.run('run', '--once')).toMatchObject(told);
  });

  it.each(['status', 'stop'])('of which nobody can tell whether an engine runs is told by %s', async (command) => {
    symlinkSync('mail.db.engine', `${installation.storeFile}.engine`);
    expect(await installation.run(command)).toMatchObject(told);
  });
});
