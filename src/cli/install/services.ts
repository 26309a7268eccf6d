/** The four that launch an engine on Unix: where their file lies, what is in it, and what the system is told about it. */
import { cronFile } from './cron.ts';
import type { InstallFacts } from './facts.ts';
import { systemdUnit } from './systemd.ts';
import { sysvScript } from './sysv.ts';
import { upstartConf } from './upstart.ts';

export interface Service {
  readonly kind: string;
  readonly description: string;
  readonly path: (name: string) => string;
  readonly mode: number;
  readonly text: (facts: InstallFacts) => string;
  /** There where this system is in charge; only then are its commands run, otherwise they are told. */
  readonly sign: string;
  readonly afterWriting: (name: string) => readonly (readonly string[])[];
  readonly beforeRemoving: (name: string) => readonly (readonly string[])[];
  readonly afterRemoving: (name: string) => readonly (readonly string[])[];
}

const none = (): [] => [];

export const services: readonly Service[] = [
  {
    kind: 'cron',
    description: '/etc/cron.d: launch it every five minutes',
    path: (name) => `/etc/cron.d/${name}`,
    mode: 0o644,
    text: cronFile,
    sign: '/etc/cron.d',
    afterWriting: none,
    beforeRemoving: none,
    afterRemoving: none,
  },
  {
    kind: 'systemd',
    description: 'a service unit with a sandbox, started at once and at boot',
    path: (name) => `/etc/systemd/system/${name}.service`,
    mode: 0o644,
    text: systemdUnit,
    sign: '/run/systemd/system',
    afterWriting: (name) => [
      ['systemctl', 'daemon-reload'],
      ['systemctl', 'enable', '--now', `${name}.service`],
    ],
    beforeRemoving: (name) => [['systemctl', 'disable', '--now', `${name}.service`]],
    afterRemoving: () => [['systemctl', 'daemon-reload']],
  },
  {
    kind: 'sysv',
    description: 'a System V init script',
    path: (name) => `/etc/init.d/${name}`,
    mode: 0o755,
    text: sysvScript,
    sign: '/usr/sbin/update-rc.d',
    afterWriting: (name) => [['update-rc.d', name, 'defaults']],
    beforeRemoving: (name) => [[`/etc/init.d/${name}`, 'stop']],
    afterRemoving: (name) => [['update-rc.d', name, 'remove']],
  },
  {
    kind: 'upstart',
    description: 'an upstart job',
    path: (name) => `/etc/init/${name}.conf`,
    mode: 0o644,
    text: upstartConf,
    sign: '/sbin/initctl',
    afterWriting: (name) => [
      ['initctl', 'reload-configuration'],
      ['initctl', 'start', name],
    ],
    beforeRemoving: (name) => [['initctl', 'stop', name]],
    afterRemoving: () => [['initctl', 'reload-configuration']],
  },
];
