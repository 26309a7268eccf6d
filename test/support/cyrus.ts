/** Cyrus IMAP 3.6: CONDSTORE, QRESYNC, OBJECTID, LIST-STATUS, in a folder of its own; passwords are checked by a socket of ours. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { unpackPackages } from './debian-packages.ts';
import { freePort, untilGreeted } from './dovecot.ts';
import { connectImap, type ImapClient } from './imap-client.ts';
import { type InteropServer, listAll } from './interop-server.ts';

const packages = [
  'cyrus-imapd',
  'cyrus-common',
  'libical3',
  'libclamav12',
  'libmspack0',
  'libpcre3',
  'libxapian30',
  'libzephyr4',
];

export async function startCyrus(): Promise<InteropServer> {
  const { root, env } = unpackPackages('cyrus', packages);
  const folder = mkdtempSync(join(tmpdir(), 'backproc-cyrus-'));
  const port = await freePort();
  const logins = await prepare(folder, root, port);
  const args = ['-C', join(folder, 'imapd.conf'), '-M', join(folder, 'cyrus.conf'), '-p', join(folder, 'pid'), '-D'];
  const child = spawn(join(root, 'usr/sbin/cyrmaster'), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (!(await untilGreeted(port))) {
    await stop(child, logins, folder);
    throw new Error('Cyrus did not start');
  }
  const made = new Set<string>();
  const client = async (user: string): Promise<ImapClient> => {
    if (!made.has(user)) {
      const admin = await connectImap(port, 'cyrus', 'pw');
      await admin.command(`CREATE user/${user}`);
      await admin.close();
      made.add(user);
    }
    return connectImap(port, user, 'pw');
  };
  return {
    name: 'Cyrus',
    port,
    client,
    listing: (user) => listAll(client, user),
    prefix: '',
    delimiter: '/',
    hasKeywords: true,
    keepsUidValidityOnRename: true,
    changeUidValidity: null,
    stop: () => stop(child, logins, folder),
  };
}

const mailUser = (): string => (process.getuid?.() === 0 ? 'nobody' : userInfo().username);

async function prepare(folder: string, root: string, port: number): Promise<Server> {
  for (const name of ['conf', 'spool', 'socket', ...configFolders.map((each) => `conf/${each}`)])
    mkdirSync(join(folder, name));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'imapd.conf'), configuration(folder));
  const service = `cmd="${root}/usr/lib/cyrus/bin/imapd -C ${folder}/imapd.conf" listen="127.0.0.1:${port}"`;
  writeFileSync(
    join(folder, 'cyrus.conf'),
    `START {\n}\nSERVICES {\n  imap ${service} prefork=0 maxchild=100\n}\nEVENTS {\n}\n`,
  );
  const logins = await acceptLogins(join(folder, 'socket/mux'));
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', mailUser(), folder]);
  return logins;
}

const configFolders = ['db', 'socket', 'log', 'msg', 'proc', 'ptclient', 'quota', 'sieve', 'user', 'lock'];

const configuration = (folder: string): string => `configdirectory: ${folder}/conf
defaultpartition: default
partition-default: ${folder}/spool
admins: cyrus
cyrus_user: ${mailUser()}
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_mech_list: PLAIN
sasl_saslauthd_path: ${folder}/socket/mux
unixhierarchysep: yes
altnamespace: yes
virtdomains: off
idlesocket: ${folder}/socket/idle
proc_path: ${folder}/conf/proc
mboxname_lockpath: ${folder}/conf/lock
maxlogins_per_user: 0
`;

/** The protocol of saslauthd: user, password, service, realm, each with a length of two bytes; the answer likewise. */
async function acceptLogins(path: string): Promise<Server> {
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      const fields = readFields(bytes);
      if (fields.length === 4) socket.end(Buffer.from(`\0\u0002${fields[1] === 'pw' ? 'OK' : 'NO'}`, 'latin1'));
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o777);
  return server;
}

function readFields(bytes: Buffer): string[] {
  const fields: string[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at);
    if (at + 2 + length > bytes.length) break;
    fields.push(bytes.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return fields;
}

async function stop(child: ChildProcess, logins: Server, folder: string): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await ended;
  }
  await new Promise((resolve) => logins.close(resolve));
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
