/** /etc/init/NAME.conf. Pure. Upstart starts a job again without a pause, so one is made after each end. */
import { commandOf, type InstallFacts, markerOf } from './facts.ts';
import { shCommand, shWord, upstartString } from './quoting.ts';

const stopMarginSeconds = 15;
const restartSeconds = 30;

export function upstartConf(facts: InstallFacts): string {
  return `# ${markerOf('upstart', facts.configFile)}
description ${upstartString('backproc, background mail synchroniser')}
start on (local-filesystems and net-device-up IFACE!=lo and runlevel [2345])
stop on runlevel [!2345]
setuid ${facts.user}
setgid ${facts.group}
umask 0007
limit core 0 0
chdir ${shWord(facts.installFolder)}
kill timeout ${facts.stopGraceSeconds + stopMarginSeconds}
respawn
respawn limit unlimited
exec ${shCommand(commandOf(facts, 'run'))}
# Beside an engine that cron started it ends at once, again and again: not without a pause.
post-stop exec sleep ${restartSeconds}
`;
}
