/** /etc/init.d/NAME, with the exit codes of LSB. Pure. Starting and stopping are our own commands', as the engine's user. */
import { commandOf, type InstallFacts, markerOf } from './facts.ts';
import { shCommand, shWord } from './quoting.ts';

export function sysvScript(facts: InstallFacts): string {
  const command = commandOf(facts, 'COMMAND').map((word) => (word === 'COMMAND' ? '"$1"' : shWord(word)));
  const asString = commandOf(facts, 'COMMAND').map((word) => (word === 'COMMAND' ? '$1' : shWord(word)));
  return `#!/bin/sh
### BEGIN INIT INFO
# Provides:          ${facts.name}
# Required-Start:    $remote_fs $network $named $time
# Required-Stop:     $remote_fs $network
# Should-Start:      $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: backproc, background mail synchroniser
# Description:       Keeps complete copies of IMAP mailboxes in a SQL
#                    database, and sends what waits in the outbox.
### END INIT INFO
# ${markerOf('sysv', facts.configFile)}

USER=${shWord(facts.user)}

# Not installed any more: LSB's answer.
[ -x ${shWord(facts.node)} ] && [ -r ${shWord(facts.main)} ] || exit 5

backproc() {
  if [ "$(id -un)" = "$USER" ]; then
    ${command.join(' ')}
  elif command -v runuser >/dev/null 2>&1; then
    runuser -u "$USER" -- ${command.join(' ')}
  else
    su -s /bin/sh -c ${doubleQuoted(asString.join(' '))} "$USER"
  fi
}

cd ${shCommand([facts.installFolder])} || exit 5
case "$1" in
  start)
    backproc start
    ;;
  stop)
    backproc stop
    code=$?
    # It was not running: that is what was asked for.
    [ "$code" -eq 3 ] && exit 0
    exit "$code"
    ;;
  restart|force-reload)
    backproc restart
    ;;
  reload)
    backproc reload
    ;;
  status)
    backproc status
    code=$?
    # 1 is "running, but late", which LSB has no word for.
    [ "$code" -eq 1 ] && exit 0
    exit "$code"
    ;;
  *)
    echo "Usage: $0 {start|stop|restart|force-reload|reload|status}" >&2
    exit 2
    ;;
esac
`;
}

/** Everything but \`$1\` is quoted for the shell that su starts; the outer one must leave it as it is. */
const doubleQuoted = (text: string): string => `"${text.replace(/[\\"`]|\$(?!1)/g, '\\$&')}"`;
