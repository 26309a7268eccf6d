/** `docs [--check]`: the generated pages of docs/. Not shown in --help; for developers and the checks. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { catalogue } from '../base/errors.ts';
import { configReference } from '../config/describe.ts';
import type { CliContext } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-code.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('docs', { hidden: true })
    .option('--check', 'exit 1 when a page is out of date')
    .action((options: { check?: boolean }) => docs(context, program, options.check === true));
}

function docs(context: CliContext, program: Command, isCheck: boolean): void {
  const pages = {
    'configuration.md': configReference(),
    'errors.md': errorReference(),
    'cli.md': cliReference(program),
  };
  const stale = Object.entries(pages).filter(
    ([name, text]) => !isSame(join(context.installFolder, 'docs', name), text),
  );
  if (isCheck && stale.length > 0) {
    context.stderr.write(`out of date: ${stale.map(([name]) => `docs/${name}`).join(', ')}; run npm run docs\n`);
    context.setExitCode(exitCodes.difference);
    return;
  }
  for (const [name, text] of stale) writeFileSync(join(context.installFolder, 'docs', name), text);
}

const isSame = (file: string, text: string): boolean => existsSync(file) && readFileSync(file, 'utf8') === text;

function errorReference(): string {
  const codes = Object.entries(catalogue) as [keyof typeof catalogue, (typeof catalogue)[keyof typeof catalogue]][];
  const rows = codes.map(
    ([code, { scope, remedy, meaning, action }]) =>
      `| \`${code}\` | ${scope} | ${remedy} | ${exitCodeOf(code)} | ${meaning} | ${action} |`,
  );
  return `# Errors\n\nGenerated from src/base/errors.ts by \`npm run docs\`. The code stands in \`last_error\`, in the log and in \`email_quarantine.error\`.\nReach: the smallest thing that stops. What heals: retry by itself · wait-operator: you · skip · none.\n\n| code | reach | what heals | exit code | what happened | what to do |\n|---|---|---|---|---|---|\n${rows.join('\n')}\n`;
}

function cliReference(program: Command): string {
  return `# Commands\n\nGenerated from the command line itself by \`npm run docs\`. Exit codes: 0 done · 1 \`verify\` found a difference, \`doctor\` something bad, \`status\` late · 3 \`status\` not running · 64 usage · 70 bug ·\n75 something is left to retry · 78 configuration, credentials or TLS.\n${program.commands
    .filter((command) => command.name() !== 'docs')
    .map((command) => section(command, 'backproc'))
    .join('')}`;
}

function section(command: Command, parent: string): string {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.map((child) => section(child, name)).join('');
  const usage = [
    name,
    ...command.registeredArguments.map((argument) =>
      argument.required ? `<${argument.name()}>` : `[${argument.name()}${argument.variadic ? '…' : ''}]`,
    ),
  ];
  const options = command.options.map((option) => `| \`${option.flags}\` | ${option.description} |`);
  return `\n## ${usage.join(' ')}\n\n${command.description()}\n\n| option | meaning |\n|---|---|\n${options.join('\n')}\n`;
}
