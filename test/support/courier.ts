/**
 * Courier-IMAP 5: no CONDSTORE, no LIST-STATUS, no literals without waiting, everything under `INBOX.`. Its imapd runs
 * logged in on standard input and output; the login before it is the tests' own (preauth-front.ts).
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackPackages } from './debian-packages.ts';
import { freePort } from './dovecot.ts';
import { connectImap, type ImapClient, quote } from './imap-client.ts';
import { type InteropServer, listAll } from './interop-server.ts';
import { startPreauthFront } from './preauth-front.ts';

const packages = [
  'courier-imap',
  'courier-base',
  'courier-authlib',
  'libcourier-unicode4',
  'gamin',
  'libgamin0',
  'libidn12',
  'libltdl7',
  'libpcre3',
];
const capabilities = 'IMAP4rev1 UIDPLUS CHILDREN NAMESPACE IDLE';

export async function startCourier(): Promise<InteropServer> {
  const { root, env } = unpackPackages('courier', packages);
  const folder = mkdtempSync(join(tmpdir(), 'backproc-courier-'));
  const port = await freePort();
  const homeOf = (user: string): string => {
    const home = join(folder, user);
    if (!existsSync(home)) {
      mkdirSync(home);
      execFileSync(join(root, 'usr/bin/maildirmake.courier'), ['Maildir'], { cwd: home, env });
    }
    return home;
  };
  // Courier waits a second for its file monitor at each folder where there is none.
  const monitorId = `backproc${port}`;
  const monitor = spawn(join(root, 'usr/libexec/gam_server'), ['--notimeout', monitorId], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  const settings = { IMAP_CAPABILITY: capabilities, IMAP_KEYWORDS: '1', GAM_CLIENT_ID: monitorId };
  const front = await startPreauthFront({
    port,
    capabilities,
    command: (user) => ({
      file: join(root, 'usr/bin/imapd'),
      args: ['Maildir'],
      cwd: homeOf(user),
      env: { ...env, ...settings },
    }),
  });
  const client = (user: string): Promise<ImapClient> => connectImap(port, user, 'pw');
  return {
    name: 'Courier',
    port,
    client,
    listing: (user) => listAll(client, user),
    prefix: 'INBOX.',
    delimiter: '.',
    hasKeywords: true,
    keepsUidValidityOnRename: false,
    // Courier draws a new UIDVALIDITY when the file with the UIDs is gone.
    async changeUidValidity(user, path) {
      const name = path === 'INBOX' ? '' : path.slice('INBOX'.length);
      rmSync(join(homeOf(user), 'Maildir', name, 'courierimapuiddb'));
      // EXAMINE writes no such file: until somebody selects the folder, it would be another one each time.
      const imap = await client(user);
      await imap.command(`SELECT ${quote(path)}`);
      await imap.close();
    },
    async stop() {
      await front.stop();
      monitor.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
