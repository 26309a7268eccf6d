/** `explain ACNTID[,EMFDID]`: what is due when, by which rule, and what holds it back. Needs no engine; looks into its queue. */
import type { Command } from 'commander';
import { createLocalClock, toInstant } from '../base/clock.ts';
import { EngineError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import type { FolderExplanation } from '../engine/schedule/explanation.ts';
import type { Store } from '../store/store.ts';
import { accountOf } from './account-list.ts';
import type { CliContext } from './context.ts';
import { explanationText, type Findings } from './explain-text.ts';
import { numberArgument } from './number-argument.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('explain <acntid[,emfdid]>')
    .description('say what is due when, by which rule, and what holds it back')
    .option('--json', 'print JSON')
    .action((what: string, options: { json?: boolean }) => run(context, what, options.json === true));
}

async function run(context: CliContext, what: string, isJson: boolean): Promise<void> {
  const { acntid, emfdid } = parse(what);
  const { config } = await context.loadConfig();
  const findings = await context.withStore((store) => find(store, config, acntid));
  const folders = findings.explanation.folders.filter((folder) => emfdid === null || folder.emfdid === emfdid);
  if (emfdid !== null && folders.length === 0)
    throw new EngineError('not_found', `No folder ${emfdid} in account ${acntid}.`);
  const json = () => JSON.stringify(toJson(findings, folders), null, 2);
  context.print(isJson ? json() : explanationText(findings, folders, emfdid !== null));
}

function parse(what: string): { acntid: number; emfdid: number | null } {
  const [acntid = '', emfdid, ...rest] = what.split(',');
  if (rest.length > 0) throw new EngineError('usage', `Expected ACNTID or ACNTID,EMFDID, not ${JSON.stringify(what)}.`);
  return {
    acntid: numberArgument('ACNTID')(acntid),
    emfdid: emfdid === undefined ? null : numberArgument('EMFDID')(emfdid),
  };
}

/** `run --once` and the engine read the same times by the same rules. */
async function find(store: Store, config: Config, acntid: number): Promise<Findings> {
  const { rulesOf, scheduledAccount } = await import('../engine/due.ts');
  const { dailySpreadMs } = await import('../engine/schedule/daily-window.ts');
  const { explain } = await import('../engine/schedule/explanation.ts');
  const { jobFileOf } = await import('../queue/open-queue.ts');
  const { peekQueue } = await import('../queue/peek.ts');
  const account = await accountOf(store, acntid);
  const times = await store.accountTimes(acntid);
  if (!times) throw new EngineError('account_unknown', `${acntid}.`);
  const rest = (await store.serverRests()).find(({ server }) => server === times.server);
  const known = { pause: null, serverRetryMs: rest ? Date.parse(rest.retryAt) : null, serverOkMs: null };
  const nowMs = Date.now();
  const rules = rulesOf(config, dailySpreadMs(await store.accountCount()));
  const clock = createLocalClock(config.BACKPROC_TIME_ZONE);
  return {
    account,
    folders: await store.folders(acntid),
    explanation: explain(scheduledAccount(times, known), rules, nowMs),
    rules,
    queue: peekQueue(jobFileOf(config.BACKPROC_DATA_LOCATION, config.BACKPROC_NODE_ID), acntid),
    connectionsPerHost: config.BG_MAX_CONNECTIONS_PER_HOST,
    nowMs,
    local(ms) {
      const { date, time } = clock(new Date(ms));
      return `${date} ${time}`;
    },
  };
}

/** Due since ever: null with `due` true. */
const instantOf = (ms: number | null): string | null =>
  ms === null || ms === 0 || ms === Number.POSITIVE_INFINITY ? null : toInstant(new Date(ms));

function toJson(
  { account, folders, explanation, queue, nowMs }: Findings,
  shown: readonly FolderExplanation[],
): object {
  const { next, users, rules, holds } = explanation;
  const ruleJson = ({ name, text, dueMs }: (typeof rules)[number]) => ({
    rule: name,
    text,
    due_at: instantOf(dueMs),
    due: dueMs <= nowMs,
  });
  const holdJson = ({ name, text, untilMs }: (typeof holds)[number]) => ({
    hold: name,
    text,
    until: instantOf(untilMs),
  });
  return {
    acntid: account.acntid,
    email: account.email,
    state: account.state,
    now: toInstant(new Date(nowMs)),
    users: users.map(({ userId, untilMs }) => ({ user_id: userId, logged_in_until: instantOf(untilMs) })),
    next: next && {
      due_at: instantOf(next.atMs),
      due: next.atMs <= nowMs,
      rule: next.rule,
      emfdid: next.emfdid,
      class: next.class,
      held_by: next.hold,
    },
    rules: rules.map(ruleJson),
    holds: holds.map(holdJson),
    folders: shown.map((folder) => ({
      emfdid: folder.emfdid,
      path: folders.find(({ emfdid }) => emfdid === folder.emfdid)?.path ?? null,
      due_at: instantOf(folder.dueMs),
      due: folder.dueMs !== null && folder.dueMs <= nowMs,
      rules: folder.rules.map(ruleJson),
      holds: folder.holds.map(holdJson),
    })),
    queue:
      queue?.tasks.map((task) => ({
        kind: task.kind,
        class: task.class,
        due_at: instantOf(task.dueMs),
        running_since: instantOf(task.runningSinceMs),
        attempts: task.attempts,
        fruitless: task.fruitlessCount,
      })) ?? null,
  };
}
