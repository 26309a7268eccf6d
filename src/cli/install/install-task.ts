/** Hands the task to schtasks.exe, or prints it. On other systems it can only be printed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../../base/errors.ts';
import type { CliContext } from '../context.ts';
import { installationIn } from './facts.ts';
import { gatherFacts } from './gather.ts';
import type { InstallOptions } from './options.ts';
import { runAll } from './run-commands.ts';
import { taskXml } from './task-scheduler.ts';

export async function installTask(context: CliContext, options: InstallOptions): Promise<void> {
  const loaded = await context.loadConfig();
  const nobody = { user: '', group: '', uid: 0, gid: 0 };
  const facts = gatherFacts(loaded, nobody, context.installFolder, options.name);
  const xml = taskXml({ ...facts, user: options.user ?? loaded.config.BACKPROC_RUN_AS });
  if (options.print) return void context.stdout.write(xml);
  if (process.platform !== 'win32')
    throw new EngineError('usage', 'This is not Windows: use --print, or cron, systemd, sysv or upstart.');
  refuseForeign(options.name, facts.configFile);
  if (options.remove) return runAll([['schtasks', '/Delete', '/F', '/TN', options.name]]);
  create(options.name, xml);
  context.say(`the task ${options.name} is registered; give its user rights on: ${facts.writable.join(', ')}`);
}

function refuseForeign(name: string, configFile: string): void {
  const { status, stdout } = spawnSync('schtasks', ['/Query', '/XML', '/TN', name], { encoding: 'utf8' });
  if (status !== 0) return;
  const installation = installationIn(stdout, 'task-scheduler');
  if (installation !== configFile)
    throw new EngineError('install_foreign', `task ${name}: ${installation ?? 'not ours'}`);
}

/** UTF-16 with a byte order mark, as the Task Scheduler itself exports. */
function create(name: string, xml: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-task-'));
  try {
    const file = join(folder, 'task.xml');
    writeFileSync(file, `\ufeff${xml}`, 'utf16le');
    runAll([['schtasks', '/Create', '/F', '/TN', name, '/XML', file]]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
