/**
 * A task for Windows' Task Scheduler, as XML ([MS-TSCH] 2.5). Pure. Every five minutes like cron, and at boot; a second instance
 * is not started beside a running one, nothing ends one that runs for months, and a start that was missed is made up for.
 */
import { commandOf, type InstallFacts, markerOf } from './facts.ts';
import { windowsWord, xmlText } from './quoting.ts';

/** LOCAL SERVICE: no rights but its own and those given to it on the folders. */
const localService = 'S-1-5-19';

export function taskXml(facts: Omit<InstallFacts, 'user'> & { readonly user: string | null }): string {
  const [command = '', ...words] = commandOf({ ...facts, user: '' }, 'run');
  return `<?xml version="1.0"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>${xmlText(markerOf('task-scheduler', facts.configFile))}</Description>
  </RegistrationInfo>
  <Triggers>
    <BootTrigger>
      <Enabled>true</Enabled>
      <Delay>PT30S</Delay>
    </BootTrigger>
    <TimeTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>2000-01-01T00:00:00</StartBoundary>
      <Repetition>
        <Interval>PT5M</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${xmlText(facts.user ?? localService)}</UserId>
${facts.user === null ? '' : '      <LogonType>S4U</LogonType>\n'}      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${xmlText(command)}</Command>
      <Arguments>${xmlText(words.map(windowsWord).join(' '))}</Arguments>
      <WorkingDirectory>${xmlText(facts.installFolder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;
}
