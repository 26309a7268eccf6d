/** Node, the RAM disk, clock and time zone. Pure. */
import { catalogue } from '../../base/errors.ts';
import { bad, type Finding, ok, warn } from './finding.ts';

export interface NodeFacts {
  /** `20.19.0` */
  readonly version: string;
  readonly wanted: string;
  readonly sqliteVersion: string | null;
  /** Why it could not be loaded. */
  readonly sqliteError: string | null;
}

export function judgeNode({ version, wanted, sqliteVersion, sqliteError }: NodeFacts): Finding[] {
  const node = isOlder(version, wanted)
    ? bad('node', `Node ${version}, needed is ${wanted} or newer`, 'Install a newer Node, then `npm ci`.')
    : ok('node', `Node ${version}`);
  const sqlite =
    sqliteError === null
      ? ok('node', `SQLite ${sqliteVersion ?? '?'}`)
      : bad('node', `SQLite does not load: ${sqliteError}`, catalogue.sqlite_missing.action);
  return [node, sqlite];
}

/** By numbers, field by field. */
function isOlder(version: string, than: string): boolean {
  const [one, other] = [version, than].map((text) => text.split('.').map(Number));
  for (let field = 0; field < 3; field += 1) {
    const difference = (one?.[field] ?? 0) - (other?.[field] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

export interface RamDiskFacts {
  readonly folder: string;
  readonly isThere: boolean;
  /** `tmpfs`, `ext4`…; null: this system has no word for it. */
  readonly fileSystem: string | null;
  readonly freeBytes: number;
  /** Of the user that runs the engine; people's numbers begin at 1000. */
  readonly uid: number;
}

/** Job state of ten thousand accounts takes a few MiB. */
const roomBytesMin = 8 * 1024 * 1024;
const firstPerson = 1000;

export function judgeRamDisk({ folder, isThere, fileSystem, freeBytes, uid }: RamDiskFacts): Finding {
  if (!isThere) return ok('ram-disk', `${folder} is not there yet`);
  if (fileSystem === null) return ok('ram-disk', `${folder}; whether that is a RAM disk is not known here`);
  if (fileSystem !== 'tmpfs')
    return warn(
      'ram-disk',
      `${folder} lies on a disk (${fileSystem}): job state is written to it all the time`,
      'backproc install tmpfs --mount, while no engine runs.',
    );
  if (freeBytes < roomBytesMin)
    return warn(
      'ram-disk',
      `only ${freeBytes} bytes are free in ${folder}`,
      'Remove what is not ours there, or give it a larger size=.',
    );
  if (folder.startsWith('/dev/shm/') && uid >= firstPerson)
    return warn(
      'ram-disk',
      `${folder} is emptied whenever user ${uid} logs out (RemoveIPC of systemd-logind)`,
      'backproc install tmpfs, or run the engine as a system user.',
    );
  return ok('ram-disk', `${folder} is a RAM disk`);
}

export interface ClockFacts {
  readonly nowMs: number;
  /** Newest instant in the store. */
  readonly newestAt: string | null;
  /** Names of log files, `20261123-info.log`. */
  readonly logNames: readonly string[];
  /** Local date of now, `20261123`. */
  readonly today: string;
}

/** Clocks of one machine differ by nothing; a server's own dates are not compared. */
const aheadMsMax = 300_000;

export function judgeClock({ nowMs, newestAt, logNames, today }: ClockFacts): Finding {
  const aheadMs = newestAt === null ? 0 : Date.parse(newestAt) - nowMs;
  const laterLogs = logNames.filter((name) => /^\d{8}-/.test(name) && name.slice(0, 8) > today);
  const now = new Date(nowMs).toISOString();
  if (aheadMs > aheadMsMax)
    return bad(
      'clock',
      `it says ${now}, the store was last written at ${newestAt}`,
      'Set the clock (timedatectl, NTP): it is behind now, or was ahead then.',
    );
  if (laterLogs.length > 0)
    return warn(
      'clock',
      `it says ${now}, and there are logs of later days: ${laterLogs[0]}`,
      'Look whether the clock is right (timedatectl).',
    );
  return ok('clock', now);
}

export interface ZoneFacts {
  readonly configured: string;
  readonly isGiven: boolean;
  /** TZ of whoever asks; cron and systemd hand on none. */
  readonly environment: string | undefined;
}

export function judgeZone({ configured, isGiven, environment }: ZoneFacts): Finding {
  if (!isGiven && environment !== undefined && environment !== '')
    return warn(
      'time-zone',
      `${configured}, from TZ of this shell; an engine that cron starts may have another`,
      `Set BACKPROC_TIME_ZONE, for instance to '${configured}'.`,
    );
  return ok('time-zone', `${configured}${isGiven ? '' : ', the system’s'}`);
}
