/** What launches the engine, and whether that is alive itself. Pure. */
import { type Finding, ok, warn } from './finding.ts';

export interface LaunchEntry {
  readonly kind: 'cron' | 'systemd' | 'sysv' | 'upstart' | 'task-scheduler';
  readonly path: string;
  /** Of a unit: it starts at boot. */
  readonly isEnabled: boolean;
}

export interface LaunchFacts {
  readonly entries: readonly LaunchEntry[];
  /** Null: not known. */
  readonly isCronRunning: boolean | null;
  /** Places that this user may not look into, such as other users' crontabs. */
  readonly unseen: readonly string[];
  /** A long-running engine is at work: somebody launched it. */
  readonly isEngineAlive: boolean;
}

export interface Program {
  readonly main: string;
  readonly installFolder: string;
  readonly configFile: string | null;
}

/** Does a line of a crontab or a unit launch this installation? By its configuration if it names one, else by the program. */
export function launchesUs(line: string, { main, installFolder, configFile }: Program): boolean {
  if (/^\s*#/.test(line)) return false;
  // As we write it, a percent sign has a backslash or another one beside it.
  const text = line.replace(/\\%|%%/g, '%');
  if (/\s--config[\s=]/.test(text)) return configFile !== null && text.includes(configFile);
  return text.includes(main) || (text.includes(installFolder) && text.includes('dist/main.js'));
}

export function judgeLaunch({ entries, isCronRunning, unseen, isEngineAlive }: LaunchFacts): Finding {
  const paths = entries.map(({ path }) => path).join(', ');
  if (entries.length === 0) {
    const found = `nothing was found that launches this installation${isEngineAlive ? ' again' : ''}${unseen.length > 0 ? ` (not seen: ${unseen.join(', ')})` : ''}`;
    return warn('launch', found, 'backproc install cron, or backproc install systemd.');
  }
  const disabled = entries.find(({ isEnabled }) => !isEnabled);
  if (disabled) return warn('launch', `${disabled.path} is not started at boot`, 'systemctl enable --now it.');
  if (isCronRunning === false && entries.every(({ kind }) => kind === 'cron'))
    return warn('launch', `${paths}, but no cron is running`, 'Start cron.');
  return ok('launch', paths);
}
