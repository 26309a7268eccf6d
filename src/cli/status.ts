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
  const { isFresh, readHolder } = await import('../engine/launch/holder.ts');
  const holder = readHolder(storeFile(config));
  if (!holder) {
    context.print(isJson ? JSON.stringify({ running: false }) : 'not running');
    return context.setExitCode(exitCodes.notRunning);
  }
  const engine = await ask(holder.record);
  const isLate = engine === null ? !isFresh(holder) : isEngineLate(engine);
  if (isJson) context.print(JSON.stringify({ running: true, late: isLate, ...holder.record, ...engine }, null, 2));
  else context.print(engine === null ? withoutAnswer(holder.record, isFresh(holder)) : describe(engine, isLate));
  context.setExitCode(isLate ? exitCodes.difference : exitCodes.done);
}

/** Null: it takes no orders (a single command, or still opening the store), or does not answer. */
async function ask({ control }: HolderRecord): Promise<EngineStatus | null> {
  if (control === null) return null;
  const { giveOrder } = await import('../engine/control/control.ts');
  try {
    return (await giveOrder(control, { order: 'status' })) as EngineStatus;
  } catch {
    return null; // said in the answer: it is alive and does not answer
  }
}

/** Prompt work starts a minute late, in the middle: somebody should look. */
const lateMs = 60_000;
const promptClasses = ['outbox', 'live', 'recent'];

const isEngineLate = ({ lateness }: EngineStatus): boolean =>
  lateness.some((one) => promptClasses.includes(one.class) && one.count > 0 && one.p50Ms >= lateMs);

const withoutAnswer = ({ pid, control, startedAt }: HolderRecord, isBeating: boolean): string =>
  control === null
    ? `process ${pid} holds the lock for a single command since ${startedAt}`
    : `process ${pid} runs since ${startedAt} and ${isBeating ? 'is opening the store' : 'does not answer'}`;

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
