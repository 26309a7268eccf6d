/**
 * `install cron | systemd | sysv | upstart | tmpfs | task-scheduler`: what launches the engine, or its RAM disk, written for this
 * machine or printed, and removed again. Doing it twice changes nothing.
 */
import { type Command, Option } from 'commander';
import type { CliContext } from './context.ts';
import type { InstallOptions, TmpfsOptions } from './install/options.ts';
import { services } from './install/services.ts';

export function register(program: Command, context: CliContext): void {
  const install = program.command('install').description('what launches the engine: write it, print it, remove it');
  for (const service of services) {
    addOptions(install.command(service.kind).description(service.description)).action(
      async (options: InstallOptions) => {
        const { installService } = await import('./install/install-service.ts');
        return installService(context, service, options);
      },
    );
  }
  addOptions(install.command('tmpfs').description('/etc/fstab: the data folder on a RAM disk'))
    .option('--size <size>', 'most of memory that it may take, as mount takes it', '128M')
    .option('--mount', 'mount it at once (with --remove: unmount it)')
    .action(async (options: TmpfsOptions) => {
      const { installTmpfs } = await import('./install/install-tmpfs.ts');
      return installTmpfs(context, options);
    });
  addOptions(install.command('task-scheduler').description('Windows: a task every five minutes and at boot')).action(
    async (options: InstallOptions) => {
      const { installTask } = await import('./install/install-task.ts');
      return installTask(context, options);
    },
  );
}

const addOptions = (command: Command): Command =>
  command
    .addOption(new Option('--print', 'print it, change nothing').conflicts('remove'))
    .option('--remove', 'take it away again; only what is ours')
    .option('--name <name>', 'of the file, unit or task: one for each installation on a machine', 'backproc')
    .option('--user <user>', 'who runs the engine (else BACKPROC_RUN_AS, the owner of the store folder)')
    .option('--group <group>', 'the group of the application (else that of the store folder)')
    .option('--root <folder>', 'write below this folder instead of /, and start nothing');
