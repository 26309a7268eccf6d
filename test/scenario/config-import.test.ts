import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInstallation, type Installation } from '../support/installation.ts';

let installation: Installation;
beforeEach(() => {
  installation = createInstallation();
});
afterEach(() => installation.remove());

const importPhp = (php: string, ...options: string[]) => {
  const file = join(installation.folder, 'config.inc');
  writeFileSync(file, php);
  return installation.run('config', 'import-php', file, ...options);
};

describe('config import-php', () => {
  it('prints a configuration that the next command takes', async () => {
    const outcome = await importPhp("<?php define('EMAIL_OUTBOX_ENABLED', FALSE); define('DB_HOST', 'x');", '--json');
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const file = join(installation.folder, 'imported.json');
    writeFileSync(file, outcome.stdout);
    expect(JSON.parse((await installation.run('config', 'show', '--json', '--config', file)).stdout)).toMatchObject({
      EMAIL_OUTBOX_ENABLED: false,
    });
  });
  it('says that the file cannot be read, and nothing of a configuration that is missing', async () => {
    const outcome = await installation.run('config', 'import-php', 'nowhere.inc');
    expect(outcome).toMatchObject({ code: 64, stdout: '' });
    expect(outcome.stderr).toMatch(/^backproc: \S+nowhere\.inc cannot be read: ENOENT.*\.\n$/);
  });
  it('prints what it can, names each mistake, and says so by its exit code', async () => {
    const outcome = await importPhp(
      "<?php\ndefine('BG_MAX_THREADS', 'many');\ndefine('EMAIL_OUTBOX_ENABLED', TRUE);\n",
    );
    expect(outcome.code).toBe(78);
    expect(outcome.stdout).toContain('export const EMAIL_OUTBOX_ENABLED = true; // line 3');
    expect(outcome.stderr).toMatch(/line 2: BG_MAX_THREADS is "many"\. Expected: /);
  });
  it.each([
    ['no PHP', 'hello'],
    ['broken PHP', '<?php define('],
  ])('refuses %s', async (_title, text) => {
    expect(await importPhp(text)).toMatchObject({ code: 78, stdout: '' });
  });
});
