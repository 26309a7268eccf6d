/** This machine's facts: who runs the engine, where it lies, what it writes to. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { EngineError } from '../../base/errors.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { storeFile } from '../../config/store-location.ts';
import { controlAddress } from '../../engine/control/control.ts';
import type { InstallFacts } from './facts.ts';
import { refuseControls } from './quoting.ts';
import { findUser, groupName, type SystemUser, userName } from './users.ts';

export interface GatherOptions {
  readonly name: string;
  readonly user?: string;
  readonly group?: string;
}

/** One word in a crontab, also of a Windows domain. */
const accountForm = /^[\w.@\\-]*\$?$/;
/** cron leaves out files with a dot in their names. */
const nameForm = /^[a-z][a-z0-9_-]{0,40}$/;

/** Throws `config_not_found` where everything is a default: a launch without a terminal would not start. */
export function gatherFacts(
  loaded: LoadedConfig,
  owner: SystemUser,
  installFolder: string,
  name: string,
): InstallFacts {
  if (loaded.file === null)
    throw new EngineError('config_not_found', 'An engine without one starts only at a terminal.');
  if (!nameForm.test(name))
    throw new EngineError('usage', `--name must be lower-case letters, digits, - and _: ${name}`);
  const odd = [owner.user, owner.group].find((word) => !accountForm.test(word));
  if (odd !== undefined) throw new EngineError('usage', `${JSON.stringify(odd)} cannot stand in a file of the system.`);
  const { config } = loaded;
  const facts: InstallFacts = {
    name,
    user: owner.user,
    group: owner.group,
    node: process.execPath,
    main: join(installFolder, 'dist', 'main.js'),
    installFolder,
    configFile: realpathSync(loaded.file),
    writable: writableFolders(config),
    readable: readableFolders(config),
    dataFolder: config.BACKPROC_DATA_LOCATION,
    stopGraceSeconds: config.BACKPROC_STOP_GRACE_SECONDS,
    memoryLimitMb: config.BACKPROC_MEMORY_LIMIT_MB,
    webPort: config.BACKPROC_WEB_LISTEN === null ? null : Number(config.BACKPROC_WEB_LISTEN.split(':').at(-1)),
  };
  refuseControls(Object.values(facts).flat().map(String));
  return facts;
}

/** Also the control socket's, where its path is too long for the pid folder: a private /tmp would hide it from the command line. */
const readableFolders = (config: Config): string[] => [
  dirname(controlAddress(config.BACKPROC_PID_LOCATION, storeFile(config))),
  ...(config.EMAIL_ATTACHMENT_ROOT === null ? [] : [config.EMAIL_ATTACHMENT_ROOT]),
];

/** Store, key, data, logs, pid, and the folder that mail to send is picked up from. */
export function writableFolders(config: Config): string[] {
  const folders = [
    dirname(storeFile(config)),
    dirname(config.BACKPROC_SECRET_KEY_FILE),
    config.BACKPROC_DATA_LOCATION,
    config.BACKPROC_LOG_LOCATION,
    config.BACKPROC_PID_LOCATION,
    ...(config.EMAIL_PICKUP_LOCATION === null ? [] : [config.EMAIL_PICKUP_LOCATION]),
  ];
  return [...new Set(folders)];
}

/** --user, else BACKPROC_RUN_AS, else whoever owns the store folder, else who asks. */
export function ownerOf(config: Config, options: Omit<GatherOptions, 'name'>): SystemUser {
  const folder = dirname(storeFile(config));
  const stats = existsSync(folder) ? statSync(folder) : null;
  const user = options.user ?? config.BACKPROC_RUN_AS ?? (stats && userName(stats.uid)) ?? userInfo().username;
  return findUser(user, options.group ?? (stats && groupName(stats.gid)));
}
