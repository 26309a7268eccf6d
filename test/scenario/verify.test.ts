/** `verify --deep`: one folder that cannot be opened never stops the others. */
import { describe, expect, it } from 'vitest';
import { folder } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

describe('verify', () => {
  it('of an account with a folder that is gone compares the others, and names that one', async () => {
    const scenario = await startScenario({ folders: [folder('Archive', 3), folder('INBOX', 5)] });
    await scenario.sync();
    scenario.server.folders.shift();
    const { code, stdout, stderr } = await scenario.installation.command('verify', String(scenario.acntid), '--deep');
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/INBOX +5 +5 +0 +0 +0 +0 +0 +0 +0 +0 +0\n/);
    expect(stdout).toMatch(/\n"Archive" could not be compared: (folder_missing|command_refused): /);
    expect(stdout).toMatch(/1 of 2 folders differ\n$/);
  });
});
