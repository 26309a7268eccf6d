/** `status`: is the engine running, what does it do, is it late. For people, and by exit code for monitoring. */
import type { Command } from 'commander';
import { storeFile } from '../config/store-location.ts';
import type { EngineStatus } from '../engine/control/status.ts';
import type { HolderRecord } from '../engine/launch/holder.ts';
import type { CliContext } from './context.ts';
import { exitCodes } from './exit-code.ts';
import { formatBytes, formatSeconds } from './progress-display.ts';
import { formatTable } from './table.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('status')
    .description('what the engine does; exit code 0: well, 1: late, 3: not running')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => status(context, options.json === true));
}

async function status(context: CliContext, isJson: boolean): Promise<void> {
  const { config } = await context.loadConfig();
  const { isFresh } = await import('../engine/launch/holder.ts');
  const { lookAtHolder } = await import('../engine/launch/look-at-holder.ts');
  const holder = lookAtHolder(storeFile(config));
  if (!holder) {
    context.print(isJson ? JSON.stringify({ running: false }) : 'not running');
    return context.setExitCode(exitCodes.notRunning);
  }
  const answer = await ask(holder.record);
  const isSilent = answer === 'silent' || (answer === 'not-listening' && !isFresh(holder));
  const engine = typeof answer === 'string' ? null : answer;
  const isLate = engine === null ? isSilent : isEngineLate(engine);
  if (isJson) context.print(JSON.stringify({ running: true, late: isLate, ...holder.record, ...engine }, null, 2));
  else context.print(engine === null ? withoutAnswer(holder.record, isSilent) : describe(engine, isLate));
  context.setExitCode(isLate ? exitCodes.difference : exitCodes.done);
}

/** Not listening: a single command takes no orders, and an engine takes none while it opens the store. */
async function ask({ control }: HolderRecord): Promise<EngineStatus | 'not-listening' | 'silent'> {
  if (control === null) return 'not-listening';
  const { giveOrder, isNotListening } = await import('../engine/control/give-order.ts');
  try {
    return (await giveOrder(control, { order: 'status' })) as EngineStatus;
  } catch (error) {
    return isNotListening(error) ? 'not-listening' : 'silent';
  }
}

/** Prompt work starts a minute late, in the middle: somebody should look. */
const lateMs = 60_000;
const promptClasses = ['outbox', 'live', 'recent'];

const isEngineLate = ({ lateness }: EngineStatus): boolean =>
  lateness.some((one) => promptClasses.includes(one.class) && one.count > 0 && one.p50Ms >= lateMs);

const withoutAnswer = ({ pid, control, startedAt }: HolderRecord, isSilent: boolean): string =>
  control === null
    ? `process ${pid} holds the lock for a single command since ${startedAt}`
    : `process ${pid} runs since ${startedAt} and ${isSilent ? 'does not answer' : 'is opening the store'}`;

function describe(engine: EngineStatus, isLate: boolean): string {
  const { accountStates: states } = engine;
  const head = [
    `running${engine.isStopping ? ', stopping' : ''}${isLate ? ', late' : ''} as process ${engine.pid} on ${engine.node} for ${formatSeconds(engine.upSeconds)}; version ${engine.version}`,
    `accounts: ${states.ok} well, ${states.auth_error} with a refused login, ${states.backoff} backed off`,
    `store ${engine.store}: ${formatBytes(engine.storeBytes)} (WAL ${formatBytes(engine.walBytes)}); memory ${engine.rssMib} MiB`,
  ];
  return [head.join('\n'), ...tables(engine)].join('\n\n');
}

function tables({ threads, queue, lateness, hosts, lastErrors }: EngineStatus): string[] {
  const late = new Map(lateness.map((one) => [one.class, one]));
  const parts: [string, Record<string, string | number | boolean | null>[]][] = [
    [
      'threads',
      threads.map(({ thread, group, utilization, tasks }) => ({
        thread,
        group,
        busy: `${Math.round(utilization * 100)} %`,
        tasks: tasks
          .map(({ what, acntid, runSeconds }) => `${what}${acntid === null ? '' : ` [${acntid}]`} ${runSeconds} s`)
          .join(', '),
      })),
    ],
    [
      'queue',
      queue.map((row) => ({
        ...row,
        late_p50: lateOf(late.get(row.class)?.p50Ms),
        late_p95: lateOf(late.get(row.class)?.p95Ms),
      })),
    ],
    [
      'servers',
      hosts.map(({ server, passes, connections, kept, rests }) => ({
        server,
        passes,
        connections,
        kept,
        rests: rests === null ? null : `until ${rests.until}: ${rests.error}`,
      })),
    ],
    [
      'in trouble',
      lastErrors.map(({ acntid, error, retryAt }) => ({ acntid, error: error.slice(0, 100), retry_at: retryAt })),
    ],
  ];
  return parts.filter(([, rows]) => rows.length > 0).map(([title, rows]) => `${title}\n${formatTable(rows)}`);
}

const lateOf = (ms: number | undefined): string | null => (ms === undefined ? null : formatSeconds(ms / 1000));
