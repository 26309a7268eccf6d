/** The init script, run by sh, with a stand-in for our program. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sysvScript } from '../../src/cli/install/sysv.ts';
import { createInstallation } from '../support/installation.ts';
import { isRoot, plainUser } from '../support/system.ts';
import { factsIn, isLinux, makeFolder, odd } from './install-facts.ts';

const place = makeFolder();

describe.runIf(isLinux)('the init script', () => {
  /** In the place of our program: start leaves a process and its pid, stop ends it, status tells; each notes who it is. */
  const standIn = `
    const fs = require('node:fs'), path = require('node:path');
    const [command, option, config] = process.argv.slice(2);
    const pidFile = path.join(path.dirname(config), 'pid');
    fs.appendFileSync(path.join(path.dirname(config), 'calls'), [command, option, config, process.getuid(), process.cwd()].join('|') + '\\n');
    const pid = fs.existsSync(pidFile) ? Number(fs.readFileSync(pidFile, 'utf8')) : null;
    const start = () => {
      const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
      fs.writeFileSync(pidFile, String(child.pid));
      child.unref();
    };
    const stop = () => { process.kill(pid); fs.rmSync(pidFile); };
    if (command === 'start' && pid === null) start();
    else if (command === 'stop' && pid === null) process.exitCode = 3;
    else if (command === 'stop') stop();
    else if (command === 'restart') { if (pid !== null) stop(); start(); }
    else if (command === 'status') process.exitCode = pid === null ? 3 : fs.existsSync(pidFile + '.late') ? 1 : 0;`;

  function setUp(
    name: string,
    user: string,
  ): { run: (command: string, path?: string) => number | null; calls: () => string[]; home: string } {
    const home = join(place, name);
    mkdirSync(home, { recursive: true });
    for (const folder of [place, home]) chmodSync(folder, 0o777);
    writeFileSync(join(home, 'main.js'), standIn);
    writeFileSync(join(home, 'package.json'), '{"type":"commonjs"}');
    const script = join(home, 'init');
    writeFileSync(script, sysvScript(factsIn(home, { user, main: join(home, 'main.js'), installFolder: home })));
    chmodSync(script, 0o755);
    return {
      home,
      run: (command, path = process.env.PATH) =>
        spawnSync(script, [command], { stdio: 'ignore', env: { PATH: path } }).status,
      calls: () =>
        readFileSync(join(home, 'calls'), 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split('|')[0] ?? ''),
    };
  }

  it.each(['plain script', `script 100% "sure" it's \`$HOME\``])(
    'is sh, and keeps the exit codes of LSB in a folder called %s',
    (name) => {
      const { run, calls, home } = setUp(name, userInfo().username);
      for (const shell of [
        ['dash', '-n'],
        ['bash', '--posix', '-n'],
      ])
        expect(spawnSync(shell[0] ?? '', [...shell.slice(1), join(home, 'init')], { encoding: 'utf8' })).toMatchObject({
          status: 0,
          stderr: '',
        });
      expect([run('status'), run('stop'), run('start'), run('status'), run('start'), run('reload')]).toEqual([
        3, 0, 0, 0, 0, 0,
      ]);
      const pid = Number(readFileSync(join(home, 'pid'), 'utf8'));
      expect(run('restart')).toBe(0);
      expect(Number(readFileSync(join(home, 'pid'), 'utf8'))).not.toBe(pid);
      writeFileSync(join(home, 'pid.late'), '');
      expect([run('status'), run('stop'), run('status'), run('nonsense')]).toEqual([0, 0, 3, 2]);
      expect(calls().slice(0, 3)).toEqual(['status', 'stop', 'start']);
      expect(readFileSync(join(home, 'calls'), 'utf8').split('\n')[0]).toBe(
        `status|--config|${join(home, 'config.json')}|${process.getuid?.()}|${home}`,
      );
      rmSync(join(home, 'main.js'));
      expect(run('start')).toBe(5);
    },
  );

  it('starts, reloads, restarts and stops the engine itself', async () => {
    const installation = createInstallation();
    const script = join(installation.folder, 'init');
    writeFileSync(script, (await installation.run('install', 'sysv', '--print')).stdout);
    chmodSync(script, 0o755);
    const run = (command: string): number | null => spawnSync(script, [command], { stdio: 'ignore' }).status;
    const pid = (): number => JSON.parse(readFileSync(`${installation.storeFile}.engine`, 'utf8')).pid as number;
    try {
      expect([run('status'), run('start'), run('start'), run('status'), run('reload')]).toEqual([3, 0, 0, 0, 0]);
      const first = pid();
      expect([run('restart'), run('status')]).toEqual([0, 0]);
      expect(pid()).not.toBe(first);
      expect([run('stop'), run('status'), run('stop')]).toEqual([0, 3, 0]);
    } finally {
      run('stop');
      installation.remove();
    }
  });

  it.runIf(isRoot())('runs everything as the engine’s user, by runuser, and by su where that is missing', () => {
    const { run, home } = setUp(`as another user ${odd}`, plainUser);
    chownSync(home, 0, 0);
    const bin = join(home, 'bin');
    mkdirSync(bin);
    for (const program of ['sh', 'id', 'su'])
      symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), join(bin, program));
    expect([run('status'), run('status', bin)]).toEqual([3, 3]);
    const uid = execFileSync('id', ['-u', plainUser], { encoding: 'utf8' }).trim();
    const call = `status|--config|${join(home, 'config.json')}|${uid}|${home}`;
    expect(readFileSync(join(home, 'calls'), 'utf8')).toBe(`${call}\n${call}\n`);
  });
});
