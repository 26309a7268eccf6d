/** Writes, prints or removes the file of one service, and tells the system about it. */
import { existsSync } from 'node:fs';
import { EngineError } from '../../base/errors.ts';
import type { CliContext } from '../context.ts';
import { personalCronLine } from './cron.ts';
import { commandOf, type InstallFacts } from './facts.ts';
import { gatherFacts, ownerOf } from './gather.ts';
import { below, type InstallOptions } from './options.ts';
import { isOwned, makeFolder, type OwnedFile, removeOwned, writeOwned } from './owned-file.ts';
import { shCommand } from './quoting.ts';
import { runAll } from './run-commands.ts';
import type { Service } from './services.ts';
import type { SystemUser } from './users.ts';

export async function installService(context: CliContext, service: Service, options: InstallOptions): Promise<void> {
  const loaded = await context.loadConfig();
  const owner = ownerOf(loaded.config, options);
  const facts = gatherFacts(loaded, owner, context.installFolder, options.name);
  if (options.print) return void context.stdout.write(service.text(facts));
  const { kind, mode } = service;
  const file = { path: below(options, service.path(facts.name)), kind, configFile: facts.configFile, mode };
  try {
    if (options.remove) remove(context, service, options, file);
    else write(context, { service, options, file, facts, owner });
  } catch (error) {
    throw error instanceof EngineError && error.code === 'install_denied' ? withCommand(error, kind, facts) : error;
  }
}

interface Writing {
  readonly service: Service;
  readonly options: InstallOptions;
  readonly file: OwnedFile;
  readonly facts: InstallFacts;
  readonly owner: SystemUser;
}

/** Folders first: a sandbox does not start without them. */
function write(context: CliContext, { service, options, file, facts, owner }: Writing): void {
  if (options.root === undefined)
    for (const folder of facts.writable) if (makeFolder(folder, owner, 0o2770)) context.say(`made ${folder}`);
  const isNew = writeOwned(file, service.text(facts));
  context.say(isNew ? `wrote ${file.path}` : `${file.path} is as it should be`);
  tell(context, service, options, service.afterWriting(facts.name));
}

function remove(context: CliContext, service: Service, options: InstallOptions, file: OwnedFile): void {
  if (!isOwned(file)) {
    context.say(`there is no ${file.path}`);
    return;
  }
  tell(context, service, options, service.beforeRemoving(options.name));
  removeOwned(file);
  context.say(`removed ${file.path}`);
  tell(context, service, options, service.afterRemoving(options.name));
}

function tell(
  context: CliContext,
  service: Service,
  options: InstallOptions,
  commands: readonly (readonly string[])[],
): void {
  if (options.root === undefined && existsSync(service.sign)) runAll(commands);
  else for (const command of commands) context.say(`then: ${shCommand(command)}`);
}

/** What to type, and what works without the administrator. */
function withCommand(error: EngineError, kind: string, facts: InstallFacts): EngineError {
  const named = facts.name === 'backproc' ? [] : ['--name', facts.name];
  const command = `sudo ${shCommand(commandOf(facts, 'install', kind, '--user', facts.user, ...named))}`;
  const own = kind === 'cron' ? `, or add this by crontab -e: */5 * * * * ${personalCronLine(facts)}` : '';
  return new EngineError('install_denied', `${error.detail} Run: ${command}${own}`, { cause: error });
}
