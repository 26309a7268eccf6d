/** What the texts are made of, as plain data. Paths are absolute. */

export interface InstallFacts {
  /** Of the file, the unit, the service, the task: one for each installation on a machine. */
  readonly name: string;
  /** The user that runs the engine, and its group. */
  readonly user: string;
  readonly group: string;
  readonly node: string;
  readonly main: string;
  readonly installFolder: string;
  readonly configFile: string;
  /** The engine writes here… */
  readonly writable: readonly string[];
  /** …and only reads there. */
  readonly readable: readonly string[];
  readonly dataFolder: string;
  readonly stopGraceSeconds: number;
  readonly memoryLimitMb: number;
  /** Below 1024 only root or a capability may listen; null: no web pages. */
  readonly webPort: number | null;
}

export const commandOf = ({ node, main, configFile }: InstallFacts, ...command: string[]): string[] => [
  node,
  main,
  ...command,
  '--config',
  configFile,
];

/** The first line of all that we make: by it we know our own again, and which installation it belongs to. */
export const markerOf = (kind: string, configFile: string): string =>
  `Made by \`backproc install ${kind}\` for ${configFile} (--remove takes it away)`;

/** Null: the text is not ours. */
export function installationIn(text: string, kind: string): string | null {
  const [head, tail] = markerOf(kind, '\n').split('\n');
  const line = text.split('\n').find((one) => one.includes(head ?? '') && one.includes(tail ?? ''));
  if (line === undefined) return null;
  return line.slice(line.indexOf(head ?? '') + (head ?? '').length, line.lastIndexOf(tail ?? ''));
}
