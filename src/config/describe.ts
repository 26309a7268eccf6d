/** docs/configuration.md, from the schema. */
import { constantNames, constants } from './schema.ts';

/** These defaults are the machine's own; the reference must read the same everywhere. */
const ownDefaults: Readonly<Record<string, string>> = {
  BACKPROC_TIME_ZONE: 'the system’s',
  BACKPROC_NODE_ID: 'the host name',
};

export const defaultText = (name: keyof typeof constants): string =>
  ownDefaults[name] ?? `\`${JSON.stringify(constants[name].fallback)}\``;

export function configReference(): string {
  const groups = [...new Set(constantNames.map((name) => constants[name].group))];
  return `# Configuration\n\nGenerated from src/config/schema.ts by \`npm run docs\`. A \`config.ts\`, \`config.js\` or \`config.json\` exports any of these constants;\nall are optional. The file is the one that --config names, else BACKPROC_CONFIG, else one in the current folder, else one in the folder of\nthe program. \`backproc config check\` lists every mistake at once; \`backproc config show\` prints what is in force. config.example.ts is a\nfile to start from.\n${groups.map(section).join('')}`;
}

function section(group: string): string {
  const rows = constantNames.filter((name) => constants[name].group === group).map(row);
  return `\n## ${group}\n\n| constant | default | expected | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

const row = (name: keyof typeof constants): string =>
  `| \`${name}\` | ${defaultText(name)} | ${constants[name].expected.replaceAll('|', '\\|')} | ${constants[name].text} |`;
