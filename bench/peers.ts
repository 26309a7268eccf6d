/** The programs compared, each in a temp folder of its own, pointed at the same port. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../src/base/sqlite.ts';
import { createInstallation, mainFile } from '../test/support/installation.ts';
import { type Measure, measure } from './measure.ts';
import { createWarmEngine } from './warm-engine.ts';

export interface Peer {
  readonly name: string;
  /** One pass over everything. */
  pass(): Promise<Measure>;
  /** Makes the next pass be due. */
  settle(): Promise<void>;
  /** Its processes end; what it wrote stays until `remove`. */
  stop(): Promise<void>;
  remove(): void;
}

export type PeerKind = 'backproc' | 'the engine, running' | 'mbsync' | 'mbsync without compression' | '8 × mbsync';

export async function createPeer(kind: PeerKind, port: number, users: readonly string[]): Promise<Peer> {
  if (kind === 'backproc') return createBackproc(port, users);
  if (kind === 'the engine, running') return createWarmEngine(port, users);
  return createMbsync(kind, port, users);
}

/** `run --once` as cron starts it. All folders are made high priority, so that every pass looks at all of them. */
async function createBackproc(port: number, users: readonly string[]): Promise<Peer> {
  const installation = createInstallation({
    EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL: 1,
    EMAIL_BG_HI_FOLDERS_RECENT_SYNC_INTERVAL_NL: 1,
    BG_MAX_CONNECTIONS_PER_HOST: 20,
    // The goal is until everything is stored with its headers; reading is measured by --reading.
    EMAIL_READING_ENABLED: false,
  });
  for (const user of users) await installation.addAccount(port, user);
  return {
    name: 'backproc',
    pass: () =>
      measure(
        process.execPath,
        [mainFile, 'run', '--once', '--config', join(installation.folder, 'config.json')],
        installation.folder,
      ),
    async settle() {
      const database = openSqlite(installation.storeFile);
      database.exec("UPDATE email_folders SET priority = 'high'");
      database.close();
      const { setTimeout: wait } = await import('node:timers/promises');
      await wait(1.2 * 1000);
    },
    stop: () => Promise.resolve(),
    remove: () => installation.remove(),
  };
}

const processCount = 8;

function createMbsync(kind: PeerKind, port: number, users: readonly string[]): Peer {
  const folder = mkdtempSync(join(tmpdir(), 'backproc-bench-mbsync-'));
  const disable = kind === 'mbsync without compression' ? 'DisableExtension COMPRESS=DEFLATE\n' : '';
  const groups = kind === '8 × mbsync' ? processCount : 1;
  const configs = Array.from({ length: groups }, (_, group) =>
    users
      .filter((_, index) => index % groups === group)
      .map((user) => channel(folder, port, user, disable))
      .join('\n'),
  ).filter((text) => text !== '');
  const files = configs.map((text, index) => {
    const file = join(folder, `mbsyncrc${index}`);
    writeFileSync(file, text);
    return file;
  });
  for (const user of users) mkdirSync(join(folder, user, 'mail'), { recursive: true });
  for (const user of users) mkdirSync(join(folder, user, 'state'), { recursive: true });
  const command = files.map((file) => `mbsync -q -a -c ${file} &`).join(' ');
  return {
    name: kind,
    pass: () => measure('/bin/sh', ['-c', `${command} wait`], folder),
    settle: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** mbsync's defaults, but one way: it need not look for changes of its own. */
const channel = (folder: string, port: number, user: string, disable: string): string => `
IMAPAccount ${user}
Host 127.0.0.1
Port ${port}
User ${user}
Pass pw
SSLType None
${disable}
IMAPStore ${user}-far
Account ${user}

MaildirStore ${user}-near
Path ${folder}/${user}/mail/
Inbox ${folder}/${user}/mail/INBOX
SubFolders Verbatim

Channel ${user}
Far :${user}-far:
Near :${user}-near:
Patterns *
Create Near
Expunge Near
Sync Pull
SyncState ${folder}/${user}/state/
`;
