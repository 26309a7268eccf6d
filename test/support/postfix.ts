/**
 * A real Postfix of a test's own: configuration, queue and logs in a temp folder, a free port on 127.0.0.1, not chrooted, handing
 * everything for example.com to a Dovecot by LMTP, logins checked by that Dovecot. Started and stopped by its own pid. Postfix's
 * master must be root.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, untilGreeted } from './dovecot.ts';

export interface Postfix {
  readonly port: number;
  /** Dovecot's configuration must have these (dovecotExtra). */
  readonly ports: PostfixPorts;
  log(): string;
  /** Waits until nothing is left in its queue. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

export interface PostfixPorts {
  readonly lmtp: number;
  readonly auth: number;
}

const daemons = '/usr/lib/postfix/sbin';

/** Null: it can run here; else why not. */
export function whyNoPostfix(): string | null {
  if (!existsSync(`${daemons}/master`) || !existsSync('/usr/lib/dovecot/lmtp'))
    return 'postfix and dovecot-lmtpd are not installed';
  return process.getuid?.() === 0 ? null : 'the master of Postfix must be root';
}

export async function choosePorts(): Promise<PostfixPorts> {
  return { lmtp: await freePort(), auth: await freePort() };
}

/** Lines for startDovecot: LMTP, and logins for Postfix. */
export const dovecotExtra = ({ lmtp, auth }: PostfixPorts): string => `
protocols = imap lmtp
auth_username_format = %Ln
auth_mechanisms = plain login
service lmtp {
  inet_listener lmtp {
    port = ${lmtp}
  }
}
service auth {
  inet_listener auth {
    port = ${auth}
  }
}
protocol lmtp {
  postmaster_address = postmaster@example.com
}
`;

/** \`refused@\` gets 550, \`later@\` 450 as long as the file \`later\` in the folder says so. */
export async function startPostfix(ports: PostfixPorts): Promise<Postfix> {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-postfix-'));
  const port = await freePort();
  prepare(folder, port, ports);
  const child = spawn(`${daemons}/master`, ['-c', join(folder, 'etc'), '-d'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await untilReady(child, port, folder);
  return {
    port,
    ports,
    log: () => readLog(folder),
    async flush() {
      const endMs = performance.now() + 20_000;
      while (queued(folder) > 0 && performance.now() < endMs) await wait(50);
    },
    stop: () => stop(child, folder),
  };
}

const readLog = (folder: string): string =>
  existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '';

function prepare(folder: string, port: number, ports: PostfixPorts): void {
  const id = (name: string, flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  const [uid, gid] = [id('postfix', '-u'), id('postfix', '-g')];
  execFileSync('chmod', ['755', folder]);
  for (const name of ['etc', 'queue', 'queue/pid']) mkdirSync(join(folder, name));
  const queues = 'active bounce corrupt defer deferred flush hold incoming maildrop private public saved trace';
  for (const name of [...queues.split(' ').map((one) => `queue/${one}`), 'data']) {
    mkdirSync(join(folder, name), { mode: 0o700 });
    chownSync(join(folder, name), uid, gid);
  }
  writeFileSync(join(folder, 'etc/main.cf'), mainConfig(folder, ports));
  writeFileSync(join(folder, 'etc/master.cf'), masterConfig(port));
}

const mainConfig = (folder: string, { lmtp, auth }: PostfixPorts): string => `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
daemon_directory = ${daemons}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = mail.example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = example.com
virtual_transport = lmtp:inet:127.0.0.1:${lmtp}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:${auth}
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access inline:{ {refused@example.com = 550 5.1.1 no such user} {later@example.com = 450 4.2.0 later} }, permit_sasl_authenticated, reject
smtpd_delay_reject = yes
`;

const masterConfig = (port: number): string =>
  [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'lmtp unix - - n - - lmtp',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'anvil unix - - n - 1 anvil',
    'proxymap unix - - n - - proxymap',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
    '',
  ].join('\n');

function queued(folder: string): number {
  const count = execFileSync(
    'find',
    [...['active', 'incoming', 'deferred', 'maildrop'].map((name) => join(folder, 'queue', name)), '-type', 'f'],
    { encoding: 'utf8' },
  );
  return count.split('\n').filter((line) => line !== '').length;
}

async function untilReady(child: ChildProcess, port: number, folder: string): Promise<void> {
  if (await untilGreeted(port, () => child.exitCode !== null)) return;
  child.kill();
  throw new Error(`Postfix did not start:\n${readLog(folder)}`);
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await ended;
  }
  // Its children see the end of the master and follow; the folder is gone when they have.
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch {
      await wait(50);
    }
  }
}
