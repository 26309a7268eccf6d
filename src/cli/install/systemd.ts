/**
 * /etc/systemd/system/NAME.service. Pure. Restart is as patient as cron: whatever ends the engine, it is launched again. The
 * sandbox lets it write to its own folders and to nothing else.
 */
import { dirname } from 'node:path';
import { commandOf, type InstallFacts, markerOf } from './facts.ts';
import { systemdCommand, systemdList, systemdPath } from './quoting.ts';

/** After the engine's own grace it has ended itself, hard if need be. */
const stopMarginSeconds = 15;
const restartSeconds = 30;
/** The engine ends itself at BACKPROC_MEMORY_LIMIT_MB; this is for when it cannot. */
const memoryFactor = 2;

export function systemdUnit(facts: InstallFacts): string {
  return `# ${markerOf('systemd', facts.configFile)}
[Unit]
Description=backproc, background mail synchroniser (${systemdPath(facts.name)})
Documentation=${systemdPath(fileUrl(`${facts.installFolder}/docs/operations.md`))}
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${systemdList([facts.installFolder, ...facts.writable])}
# Never give up: cron would not either.
StartLimitIntervalSec=0

[Service]
Type=exec
User=${facts.user}
Group=${facts.group}
# Files are the application's group's, and nobody else's.
UMask=0007
WorkingDirectory=${systemdPath(facts.installFolder)}
ExecStart=${systemdCommand(commandOf(facts, 'run'))}
ExecReload=${systemdCommand(commandOf(facts, 'reload'))}
# The main process alone is told to stop, and finishes what it is sending.
KillMode=mixed
TimeoutStopSec=${facts.stopGraceSeconds + stopMarginSeconds}
Restart=always
RestartSec=${restartSeconds}
MemoryMax=${facts.memoryLimitMb * memoryFactor}M
# Passwords are in memory.
LimitCORE=0
# The log files have every line; the journal gets what cannot be logged (all, with BG_LOG_JOURNAL).
StandardOutput=journal
StandardError=journal
${dataSection(facts)}${sandbox(facts)}
[Install]
WantedBy=multi-user.target
`;
}

/** systemd takes a single quote for the end of a URL. */
const fileUrl = (path: string): string => `file:${encodeURI(path).replaceAll("'", '%27')}`;

/** A folder of its own in /run is made and owned by systemd; one in /dev/shm of a person's account dies at their logout. */
function dataSection({ dataFolder }: InstallFacts): string {
  if (dataFolder.startsWith('/dev/shm/'))
    return '# RemoveIPC= of logind.conf removes files of ordinary users in /dev/shm at their logout: run as a system user.\n';
  const name = runtimeName(dataFolder);
  if (name === null) return '';
  return `RuntimeDirectory=${systemdList([name])}\nRuntimeDirectoryMode=0770\nRuntimeDirectoryPreserve=yes\n`;
}

const runtimeName = (folder: string): string | null =>
  dirname(folder) === '/run' ? folder.slice('/run/'.length) : null;

function sandbox(facts: InstallFacts): string {
  const paths = [facts.node, facts.installFolder, facts.configFile, ...facts.writable, ...facts.readable];
  const isIn = (...roots: string[]): boolean => paths.some((path) => roots.some((root) => path.startsWith(`${root}/`)));
  const isPrivate = !isIn('/tmp', '/var/tmp');
  const own = facts.writable.filter((folder) => folder !== facts.dataFolder || runtimeName(folder) === null);
  // SQLite sorts there: without a folder for temporary files a query fails with SQLITE_IOERR_GETTEMPPATH.
  const writable = isPrivate ? own : [...own, '/tmp', '/var/tmp'];
  const bind = facts.webPort !== null && facts.webPort < 1024 ? 'CAP_NET_BIND_SERVICE' : '';
  return `
# Sandbox. Left out on purpose: MemoryDenyWriteExecute (V8 compiles to memory), ProcSubset=pid (the boot id tells a used-again
# pid from the old one), PrivateUsers and DynamicUser (the application's group shares the files).
ProtectSystem=strict
ReadWritePaths=${systemdList(writable)}
ProtectHome=${isIn('/home', '/root', '/run/user') ? 'read-only' : 'true'}
PrivateTmp=${isPrivate}
PrivateDevices=true
NoNewPrivileges=true
CapabilityBoundingSet=${bind}
AmbientCapabilities=${bind}
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectKernelLogs=true
ProtectControlGroups=true
ProtectClock=true
ProtectHostname=true
ProtectProc=invisible
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# AF_NETLINK: name resolution asks which addresses the machine has.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
`;
}
