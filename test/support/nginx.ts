/**
 * nginx's mail proxy in front of a Dovecot: it greets and logs in itself, with capabilities of its own, and hands bytes on after. Who
 * may log in, and where to, it asks a service over HTTP, which is ours.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackPackages } from './debian-packages.ts';
import { freePort, startDovecot, untilGreeted } from './dovecot.ts';
import type { InteropServer } from './interop-server.ts';

export async function startNginx(): Promise<InteropServer> {
  const { root, env } = unpackPackages('nginx', ['nginx', 'libnginx-mod-mail']);
  const dovecot = await startDovecot({ compress: true });
  const folder = mkdtempSync(join(tmpdir(), 'backproc-nginx-'));
  const port = await freePort();
  const logins = await serveLogins(dovecot.port);
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configuration(root, folder, port, logins.port));
  const args = ['-p', folder, '-c', config, '-e', join(folder, 'log')];
  const child = spawn(join(root, 'usr/sbin/nginx'), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    await end(child);
    logins.server.closeAllConnections();
    logins.server.close();
    await dovecot.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  if (!(await untilGreeted(port, () => child.exitCode !== null))) {
    await stop();
    throw new Error('nginx did not start');
  }
  return {
    // What is copied through nginx is judged by what Dovecot has.
    ...dovecot,
    name: 'nginx',
    port,
    prefix: '',
    delimiter: '/',
    hasKeywords: true,
    keepsUidValidityOnRename: true,
    changeUidValidity: null,
    stop,
  };
}

/** What nginx announces before the login is its default: of what Dovecot has, the client learns after it. */
const configuration = (root: string, folder: string, port: number, loginsPort: number): string => `
load_module ${root}/usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
master_process off;
pid ${folder}/pid;
events {
}
mail {
  auth_http 127.0.0.1:${loginsPort}/;
  server {
    listen 127.0.0.1:${port};
    protocol imap;
    imap_auth plain login;
  }
}
`;

async function serveLogins(imapPort: number): Promise<{ server: Server; port: number }> {
  const server = createServer(({ headers }, response) => {
    const granted = { 'Auth-Status': 'OK', 'Auth-Server': '127.0.0.1', 'Auth-Port': String(imapPort) };
    response.writeHead(200, headers['auth-pass'] === 'pw' ? granted : { 'Auth-Status': 'Invalid login or password' });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : 0 };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await ended;
}
