/** A real Dovecot of a test's own: temp folder, free port on 127.0.0.1, any user with the password `pw`; stopped by its own pid. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Certificate } from './certificates.ts';
import { connectImap, type ImapClient, type ListedFolder } from './imap-client.ts';
import { listAll } from './interop-server.ts';

export interface DovecotOptions {
  /** Offer COMPRESS=DEFLATE. */
  readonly compress?: boolean;
  readonly connectionsPerUser?: number;
  /** Also serve IMAPS, on a port of its own. */
  readonly tls?: Certificate;
  /** Lines added to the configuration. */
  readonly extra?: string;
}

export interface Dovecot {
  readonly port: number;
  /** 0: no TLS was asked for. */
  readonly tlsPort: number;
  readonly password: string;
  readonly folder: string;
  client(user: string): Promise<ImapClient>;
  /** `doveadm ARGS…` against this server; returns its stdout. */
  doveadm(...args: string[]): string;
  /** What the server has, read by the tests' own client: paths as listed (modified UTF-7). */
  listing(user: string): Promise<ListedFolder[]>;
  stop(): Promise<void>;
}

export const hasDovecot = (): boolean => existsSync('/usr/sbin/dovecot');

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

export async function startDovecot(options: DovecotOptions = {}): Promise<Dovecot> {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-dovecot-'));
  const port = await freePort();
  const tlsPort = options.tls === undefined ? 0 : await freePort();
  const config = join(folder, 'dovecot.conf');
  prepareFolders(folder);
  if (options.tls) writeCertificate(folder, options.tls);
  writeFileSync(config, configuration(folder, port, tlsPort, options));
  const child = spawn('/usr/sbin/dovecot', ['-F', '-c', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  await untilReady(child, port, folder);
  const client = (user: string): Promise<ImapClient> => connectImap(port, user, 'pw');
  return {
    port,
    tlsPort,
    password: 'pw',
    folder,
    client,
    doveadm: (...args) =>
      execFileSync('/usr/bin/doveadm', ['-c', config, ...args], { encoding: 'utf8', stdio: 'pipe' }),
    listing: (user) => listAll(client, user),
    stop: () => stop(child, folder),
  };
}

const isRoot = (): boolean => process.getuid?.() === 0;
const mailUser = (): string => (isRoot() ? 'dovecot' : userInfo().username);

/** Dovecot's login process must not be root, and its mail belongs to a user of its own. */
function prepareFolders(folder: string): void {
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'mail'));
  if (!isRoot()) return;
  const uid = Number(execFileSync('id', ['-u', 'dovecot'], { encoding: 'utf8' }));
  chownSync(join(folder, 'mail'), uid, uid);
}

function writeCertificate(folder: string, { key, cert }: Certificate): void {
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(join(folder, 'cert.pem'), cert);
}

const tlsSettings = (folder: string): string =>
  `ssl = yes\nssl_cert = <${folder}/cert.pem\nssl_key = <${folder}/key.pem`;

function configuration(folder: string, port: number, tlsPort: number, options: DovecotOptions): string {
  const user = mailUser();
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
instance_name = ${folder.split('/').at(-1)}
protocols = imap
listen = 127.0.0.1
${tlsPort === 0 ? 'ssl = no' : tlsSettings(folder)}
disable_plaintext_auth = no
auth_cache_size = 1M
default_internal_user = ${user}
default_login_user = ${isRoot() ? 'dovenull' : user}
default_internal_group = ${isRoot() ? 'dovecot' : execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()}
first_valid_uid = 1
mail_uid = ${user}
mail_gid = ${isRoot() ? 'dovecot' : execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()}
mail_location = maildir:${folder}/mail/%u
mail_max_userip_connections = ${options.connectionsPerUser ?? 60}
mail_plugins = ${options.compress ? 'zlib' : ''}
maildir_very_dirty_syncs = no
mail_fsync = never
service imap-login {
  chroot =
  service_count = 0
  client_limit = 1000
  process_min_avail = 1
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = ${tlsPort === 0 ? 'no' : 'yes'}
  }
}
service imap {
  process_limit = 1000
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
protocol imap {
  mail_plugins = ${options.compress ? 'zlib imap_zlib' : ''}
}
passdb {
  driver = static
  args = password=pw
}
userdb {
  driver = static
  args = uid=${user} gid=${isRoot() ? 'dovecot' : execFileSync('id', ['-g'], { encoding: 'utf8' }).trim()} home=${folder}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \\Sent
  }
  mailbox Drafts {
    special_use = \\Drafts
  }
  mailbox Junk {
    special_use = \\Junk
  }
  mailbox Trash {
    special_use = \\Trash
  }
  mailbox Archive {
    special_use = \\Archive
  }
}
${options.extra ?? ''}
`;
}

/** False: nothing answered in 15 seconds, or `isOver` said so. */
export async function untilGreeted(port: number, isOver: () => boolean = () => false): Promise<boolean> {
  const endMs = performance.now() + 15_000;
  while (performance.now() < endMs && !isOver()) {
    if (await greets(port)) return true;
    await wait(20);
  }
  return false;
}

async function untilReady(child: ChildProcess, port: number, folder: string): Promise<void> {
  if (await untilGreeted(port, () => child.exitCode !== null)) return;
  const log = existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : 'no log';
  child.kill();
  throw new Error(`Dovecot did not start:\n${log}`);
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (result: boolean) => (): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('data', end(true)).once('error', end(false)).once('close', end(false));
  });
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
