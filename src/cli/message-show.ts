/** `message show`: header fields, text, and the parts as a table. */
import type { Command } from 'commander';
import { EngineError } from '../base/errors.ts';
import type { MessageContent } from '../store/reading.ts';
import type { Address } from '../store/store.ts';
import type { CliContext } from './context.ts';
import { numberArgument } from './number-argument.ts';
import { formatTable } from './table.ts';

export function register(message: Command, context: CliContext): void {
  message
    .command('show <id>')
    .description('header fields, text and parts')
    .option('--json', 'print JSON')
    .action((id: string, options: { json?: boolean }) =>
      show(context, numberArgument('ID')(id), options.json === true),
    );
}

async function show(context: CliContext, id: number, isJson: boolean): Promise<void> {
  const content = await context.withStore((store) => store.messageContent(id));
  if (!content) throw new EngineError('not_found', `No message ${id}.`);
  if (isJson) return context.print(JSON.stringify(content, null, 2));
  context.print(formatTable(Object.entries(fieldsOf(content)).map(([field, value]) => ({ field, value }))));
  if (content.text !== null) context.print(`\n${harmless(content.text.trimEnd())}`);
  if (content.attachments.length > 0)
    context.print(`\n${formatTable(content.attachments.map((part) => ({ ...part })))}`);
}

function fieldsOf({ text, html, attachments, ...content }: MessageContent) {
  return {
    ...content,
    from: peopleText(content.from),
    to: peopleText(content.to),
    cc: peopleText(content.cc),
    text: text === null ? null : `${text.length} characters`,
    html: html === null ? null : `${html.length} characters`,
    parts: attachments.length,
  };
}

const peopleText = (people: readonly Address[]): string =>
  people.map(({ name, address }) => (name === '' ? address : `${name} <${address}>`)).join(', ');

/** A text has no C0 controls but tab and line feed; C1 and bidi controls could still play tricks on a terminal. */
const harmless = (text: string): string => text.replace(/[\u0080-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
