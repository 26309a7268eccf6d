/**
 * Runs before `npm test`, `npm run demo` and `npm run bench`, so that they work on a fresh clone: packages by npm ci (with a
 * compiler where SQLite must be built), Debian's Dovecot, cron, systemd's checker and xmllint (and isync for the bench) by apt-get
 * where that is possible; otherwise it says what to install. Node only.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const needed = [
  { program: '/usr/sbin/dovecot', debian: 'dovecot-imapd' },
  { program: '/usr/bin/openssl', debian: 'openssl' },
  // What `install` writes is judged by those who will read it.
  { program: '/usr/bin/systemd-analyze', debian: 'systemd' },
  { program: '/usr/sbin/cron', debian: 'cron' },
  { program: '/usr/bin/xmllint', debian: 'libxml2-utils' },
];
/** The outbox's live test goes without where these can't be had, and says so. */
const wanted = [
  { program: '/usr/lib/dovecot/lmtp', debian: 'dovecot-lmtpd' },
  { program: '/usr/lib/postfix/sbin/master', debian: 'postfix' },
];
if (process.argv.includes('--bench'))
  needed.push({ program: '/usr/bin/mbsync', debian: 'isync' }, { program: '/usr/bin/time', debian: 'time' });

/**
 * SQLite as its own build has it: -O3, which better-sqlite3 asks for, takes half as long again to compile. A first sync takes 6 % longer
 * with it, so not where it stays, nor where speed is measured.
 */
const isForTests = process.argv.includes('--test');

installCompiler();
// Building SQLite takes a minute of one core: Debian's packages come meanwhile.
const packages = installPackages();
const hasPrograms = installPrograms();
if (hasPrograms) installMailServer();
const hasPackages = await packages;
if (!hasPrograms || !hasPackages) process.exit(1);

/**
 * SQLite is built where Node has no Node-API 10 (src/base/sqlite.ts). npm leaves out what it could not build, without a word: then
 * backproc says what to do (sqlite_missing).
 */
function installCompiler() {
  if (Number(process.versions.napi) >= 10 || process.platform !== 'linux') return;
  const isMissing = (name) => spawnSync(name, ['--version']).status !== 0;
  const missing = ['python3', 'make', 'g++'].filter(isMissing);
  const command = missing.length === 0 ? null : aptGet();
  if (command !== null) install(command, missing);
}

/** node_modules/.package-lock.json is what npm writes last. False: npm has said why. */
async function installPackages() {
  const installed = join(root, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs)
    return true;
  console.log('setup: npm ci');
  const child = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: isForTests ? { CFLAGS: '-O2', CXXFLAGS: '-O2', ...process.env } : process.env,
  });
  const [code] = await once(child, 'close');
  return code === 0;
}

/** False: they are missing. */
function installPrograms() {
  if (process.platform !== 'linux') {
    console.log(
      'setup: the live tests need a Dovecot and openssl, which this system has no packages for; they are left out',
    );
    return true;
  }
  const missing = needed.filter(({ program }) => !existsSync(program)).map(({ debian }) => debian);
  if (missing.length === 0) return true;
  const command = aptGet();
  if (command === null) {
    console.error(
      `setup: please install ${missing.join(' and ')} (Debian: sudo apt-get install ${missing.join(' ')}), then run this again`,
    );
    return false;
  }
  return install(command, missing);
}

/** Again with newer lists, if need be. */
function install(command, packages) {
  console.log(`setup: ${command.join(' ')} install ${packages.join(' ')}`);
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  return apt(command, args) || (apt(command, ['update']) && apt(command, args));
}

/** Not where another mail server is installed: Debian would remove it. Without a configuration Postfix does not start by itself. */
function installMailServer() {
  const missing = wanted.filter(({ program }) => !existsSync(program)).map(({ debian }) => debian);
  const hasAnother = existsSync('/usr/sbin/sendmail') && missing.includes('postfix');
  const command = missing.length === 0 || hasAnother || process.platform !== 'linux' ? null : aptGet();
  if (command === null) return;
  console.log(`setup: ${command.join(' ')} install ${missing.join(' ')}`);
  const [first, ...rest] = [...command.slice(0, -1), 'debconf-set-selections'];
  spawnSync(first, rest, { input: 'postfix postfix/main_mailer_type select No configuration\n' });
  apt(command, ['install', '-y', '--no-install-recommends', ...missing]);
}

/** Null: it may not be used here. */
function aptGet() {
  if (spawnSync('apt-get', ['--version']).status !== 0) return null;
  if (process.getuid?.() === 0) return ['apt-get'];
  return spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n', 'apt-get'] : null;
}

function apt([program, ...first], args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return (
    spawnSync(program, [...first, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 })
      .status === 0
  );
}
