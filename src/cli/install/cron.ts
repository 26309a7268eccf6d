/** /etc/cron.d/NAME: cron is the engine's watchdog (E3). Pure. */
import { commandOf, type InstallFacts, markerOf } from './facts.ts';
import { cronCommand } from './quoting.ts';

export function cronFile(facts: InstallFacts): string {
  return `# ${markerOf('cron', facts.configFile)}
# A launch beside a running engine ends at once. Only failures are printed; cron mails them to MAILTO.
SHELL=/bin/sh
*/5 * * * * ${cronLine(facts)}
`;
}

/** From the user on, as in /etc/crontab. */
const cronLine = (facts: InstallFacts): string => `${facts.user} ${personalCronLine(facts)}`;

/** For `crontab -e`, where no user stands. */
export const personalCronLine = (facts: InstallFacts): string => `exec ${cronCommand(commandOf(facts, 'run'))}`;
