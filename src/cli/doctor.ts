/** `doctor [--repair]`: is everything as it should be, and what to do where it is not. Exit 1 when something is bad. */
import { createRequire } from 'node:module';
import type { Command } from 'commander';
import { asEngineError, catalogue, EngineError } from '../base/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { CliContext } from './context.ts';
import { bad, type Finding, gravest } from './doctor/finding.ts';
import { judgeNode } from './doctor/machine.ts';
import { exitCodes } from './exit-code.ts';

interface Options {
  readonly repair?: boolean;
  readonly deep?: boolean;
  readonly json?: boolean;
  readonly accounts: number;
}

/** So many logins hurt nobody, and one wrong password is seen by `account list` anyway. */
const sampleCount = 5;

export function register(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('is everything as it should be, and what to do where it is not; exit 1 when something is bad')
    .option('--repair', 'put right what can be: permissions, what a dead engine left, a damaged job database')
    .option('--deep', 'check every page and index of the store')
    .option('--accounts <count>', 'log in to so many of them, or to `all`', accountCount, sampleCount)
    .option('--json', 'print JSON, for monitoring')
    .action((options: Options) => doctor(context, options));
}

function accountCount(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY;
  if (/^\d+$/.test(text)) return Number(text);
  throw new EngineError('usage', `--accounts must be a number or \`all\`, not ${JSON.stringify(text)}.`);
}

async function doctor(context: CliContext, options: Options): Promise<void> {
  const node = await nodeFindings(context);
  const { findings, repairs } = gravest(node) === 'bad' ? { findings: [], repairs: [] } : await visit(context, options);
  const all = [...node, ...findings];
  const state = gravest(all);
  if (options.json) context.print(JSON.stringify({ state, findings: all, repairs }, null, 2));
  else {
    const { report } = await import('./doctor/report.ts');
    context.print(report(all, repairs));
  }
  context.setExitCode(state === 'bad' ? exitCodes.difference : exitCodes.done);
}

/** Without SQLite nothing else can be looked at. */
async function nodeFindings({ installFolder }: CliContext): Promise<Finding[]> {
  const { engines } = createRequire(import.meta.url)(`${installFolder}/package.json`) as { engines: { node: string } };
  const wanted = engines.node.replace(/^\D+/, '');
  try {
    const { openSqlite } = await import('../base/sqlite.ts');
    const database = openSqlite(':memory:');
    const row = database.prepare<[], { version: string }>('SELECT sqlite_version() AS version').get();
    database.close();
    return judgeNode({
      version: process.versions.node,
      wanted,
      sqliteVersion: row?.version ?? null,
      sqliteError: null,
    });
  } catch (error) {
    const { detail } = asEngineError(error);
    return judgeNode({ version: process.versions.node, wanted, sqliteVersion: null, sqliteError: detail });
  }
}

interface Visit {
  readonly findings: readonly Finding[];
  readonly repairs: readonly string[];
}

async function visit(context: CliContext, options: Options): Promise<Visit> {
  try {
    const loaded = await context.loadConfig();
    const { ownerOf } = await import('./install/gather.ts');
    const owner = process.platform === 'win32' ? nobody : ownerOf(loaded.config, {});
    const repairs = options.repair ? await repairAll(context, loaded, owner) : [];
    const { examine } = await import('./doctor/examine.ts');
    const { accounts: accountCount, deep } = options;
    return { findings: await examine(context, loaded, { owner, isDeep: deep === true, accountCount }), repairs };
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'bug') throw error;
    return { findings: configFindings(error), repairs: [] };
  }
}

const nobody = { user: '', group: '', uid: 0, gid: 0 };

async function repairAll(context: CliContext, { config }: LoadedConfig, owner: typeof nobody): Promise<string[]> {
  const { repair } = await import('./doctor/repair.ts');
  return repair(config, owner, context.version);
}

/** A configuration names all its mistakes, a line each, below the file's name. */
function configFindings(error: EngineError): Finding[] {
  const { action } = catalogue[error.code];
  const [head = '', ...mistakes] = error.detail.split('\n');
  const lines = mistakes.length === 0 ? [head] : mistakes.map((mistake) => `${head} ${mistake.trim()}`);
  return lines.map((line) => bad('config', line, action));
}
