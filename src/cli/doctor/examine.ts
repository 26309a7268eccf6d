/** All checks in order: looks, then judges. Each check's rule is a pure function of its own file. */
import { basename, dirname, join } from 'node:path';
import { createLocalClock, systemClock } from '../../base/clock.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { storeFile } from '../../config/store-location.ts';
import { examineStore, type StoreExamination } from '../../store/sqlite/examine.ts';
import type { CliContext } from '../context.ts';
import { judgeLogin, judgeStates, sampleAccounts } from './accounts.ts';
import { askEngine, judgeEngine } from './ask-engine.ts';
import { judgeJobState, judgeKey, judgeStore, judgeWal } from './data.ts';
import { judgeDisk } from './disk.ts';
import { judgeLock } from './engine-lock.ts';
import { networkOf, roomOf } from './file-system.ts';
import { findLaunch } from './find-launch.ts';
import { type Finding, ok } from './finding.ts';
import { judgeLaunch } from './launch.ts';
import { judgeLog } from './log.ts';
import { logInToAll } from './log-in.ts';
import { type LockLook, lookAtJobState, lookAtKey, lookAtLock, lookAtLog, lookAtWal } from './look.ts';
import { judgeClock, judgeRamDisk, judgeZone } from './machine.ts';
import { judgePermissions, type Owner } from './permissions.ts';
import { configEntry, entriesOf, filesIn } from './places.ts';

export interface ExamineOptions {
  readonly owner: Owner;
  readonly isDeep: boolean;
  /** How many are logged in to; Infinity: all. */
  readonly accountCount: number;
}

export async function examine(context: CliContext, loaded: LoadedConfig, options: ExamineOptions): Promise<Finding[]> {
  const { config } = loaded;
  const file = storeFile(config);
  const lock = await lookAtLock(config, context.version);
  const store = examineStore(file, options.isDeep);
  const own = [process.pid, ...(lock.record ? [lock.record.pid] : [])];
  const [wal, accounts, engine] = await Promise.all([
    lookAtWal(store.walBytes, file, own),
    examineAccounts(context, store, options.accountCount),
    // A single command holds the lock as well, and takes no orders.
    lock.record?.control ? askEngine(statusCommand(context, loaded), context.cwd).then(judgeEngine) : [],
  ]);
  return [
    ok('config', loaded.file ?? 'none: everything is a default'),
    ...permissionFindings(loaded, options.owner),
    ramDiskFinding(loaded, options.owner),
    ...diskFindings(loaded, store),
    judgeLock(lock),
    ...engine,
    judgeJobState(await lookAtJobState(config)),
    ...judgeStore(file, store),
    judgeWal(wal),
    judgeKey({ ...lookAtKey(config.BACKPROC_SECRET_KEY_FILE), hasSecrets: store.hasSecrets }),
    clockFinding(loaded, store),
    judgeZone({
      configured: config.BACKPROC_TIME_ZONE,
      isGiven: loaded.given.has('BACKPROC_TIME_ZONE'),
      environment: context.env.TZ,
    }),
    launchFinding(context, loaded, lock),
    ...judgeLog(lookAtLog(config)),
    ...accounts,
  ];
}

const mainOf = ({ installFolder }: CliContext): string => join(installFolder, 'dist', 'main.js');

function statusCommand(context: CliContext, { file }: LoadedConfig): string[] {
  return [process.execPath, mainOf(context), 'status', '--json', ...(file === null ? [] : ['--config', file])];
}

function permissionFindings({ config, file }: LoadedConfig, owner: Owner): Finding[] {
  if (process.platform === 'win32') return [ok('permissions', 'access lists decide; see docs/operations.md')];
  return judgePermissions([...entriesOf(config), ...configEntry(file)], owner);
}

function ramDiskFinding({ config }: LoadedConfig, { uid }: Owner): Finding {
  const folder = config.BACKPROC_DATA_LOCATION;
  const room = roomOf(folder);
  const { fileSystem = null, freeBytes = 0 } = room ?? {};
  return judgeRamDisk({ folder, isThere: room !== null, fileSystem, freeBytes, uid });
}

function diskFindings({ config }: LoadedConfig, store: StoreExamination): Finding[] {
  const folder = dirname(storeFile(config));
  const room = roomOf(folder);
  if (!room) return [ok('disk', `${folder} is not there yet`)];
  const { freeBytes, totalBytes } = room;
  return judgeDisk({
    folder,
    freeBytes,
    totalBytes,
    storeBytes: store.bytes ?? 0,
    storeFreeBytes: store.freeBytes,
    sizes: store.sizes,
    nowMs: Date.now(),
    network: networkOf(room),
  });
}

function clockFinding({ config }: LoadedConfig, { newestAt }: StoreExamination): Finding {
  const now = systemClock();
  const { date } = createLocalClock(config.BACKPROC_TIME_ZONE)(now);
  const logNames = filesIn(config.BACKPROC_LOG_LOCATION, () => true).map((path) => basename(path));
  return judgeClock({ nowMs: now.getTime(), newestAt, logNames, today: date.replaceAll('-', '') });
}

function launchFinding(context: CliContext, loaded: LoadedConfig, lock: LockLook): Finding {
  const { installFolder } = context;
  const program = { main: mainOf(context), installFolder, configFile: loaded.file };
  return judgeLaunch({ ...findLaunch(program), isEngineAlive: lock.record !== null && lock.record.control !== null });
}

/** Only of a store that this version can open: a doctor makes and migrates nothing. */
async function examineAccounts(context: CliContext, store: StoreExamination, count: number): Promise<Finding[]> {
  if (store.bytes === null || store.error || store.version !== store.knownVersion) return [];
  return context.withStore(async (opened) => {
    const accounts = await opened.accounts();
    const results = await logInToAll(context, opened, sampleAccounts(accounts, count));
    return [judgeStates(accounts), ...results.map(judgeLogin)];
  });
}
