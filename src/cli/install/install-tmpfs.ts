/** Writes, prints or removes the lines of /etc/fstab, and mounts or unmounts where that is asked for. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { EngineError } from '../../base/errors.ts';
import type { CliContext } from '../context.ts';
import { gatherFacts, ownerOf } from './gather.ts';
import { below, type TmpfsOptions } from './options.ts';
import { makeFolder, rewrite } from './owned-file.ts';
import { runAll } from './run-commands.ts';
import { foreignEntry, fstabEntry, type TmpfsFacts, withEntry, withoutEntry } from './tmpfs.ts';

export async function installTmpfs(context: CliContext, options: TmpfsOptions): Promise<void> {
  if (!/^\d+[kKmMgG%]?$/.test(options.size))
    throw new EngineError('usage', `--size is as in 128M, not ${options.size}.`);
  const loaded = await context.loadConfig();
  const owner = ownerOf(loaded.config, options);
  const { configFile, dataFolder } = gatherFacts(loaded, owner, context.installFolder, options.name);
  const facts: TmpfsFacts = { configFile, dataFolder: realPath(dataFolder), ...owner, size: options.size };
  if (options.print) return context.print(fstabEntry(facts));
  const file = below(options, '/etc/fstab');
  const fstab = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const foreign = foreignEntry(fstab, facts);
  if (foreign !== undefined) throw new EngineError('install_foreign', `${file} has: ${foreign}`);
  const wanted = options.remove ? withoutEntry(fstab, facts) : withEntry(fstab, facts);
  if (wanted !== fstab) rewrite(file, wanted);
  context.say(wanted === fstab ? `${file} is as it should be` : `changed ${file}`);
  if (!options.remove) makeFolder(facts.dataFolder, owner, 0o2770);
  mount(context, options, facts);
}

/** mount compares with the path that links lead to. */
const realPath = (folder: string): string => (existsSync(folder) ? realpathSync(folder) : folder);

function mount(context: CliContext, { mount: isWanted, remove, root }: TmpfsOptions, { dataFolder }: TmpfsFacts): void {
  const isMounted = mountPoints().includes(dataFolder);
  const command = remove ? ['umount', dataFolder] : ['mount', dataFolder];
  if (isMounted !== (remove === true)) return;
  if (isWanted && root === undefined) runAll([command]);
  else context.say(`then, while no engine runs: ${command.join(' ')}`);
}

/** Blanks and the like stand there in octal. */
function mountPoints(): string[] {
  if (!existsSync('/proc/self/mounts')) return [];
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.map((line) => (line.split(' ')[1] ?? '').replace(/\\(\d{3})/g, (_, octal: string) => fromOctal(octal)));
}

const fromOctal = (octal: string): string => String.fromCharCode(Number.parseInt(octal, 8));
