/**
 * Last step of the build: runs what was built on a small mailbox of the tests, and keeps what V8 compiled for it beside the files of
 * dist/ (src/base/code-cache.ts). What cron and people start often is run once. Without it the program is slower, and no less right.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeTag } from './src/base/node-tag.ts';
import { startFakeImap } from './test/support/fake-imap-server.ts';
import { addMessage, folder } from './test/support/fake-mailbox.ts';
import { startFakeSmtp } from './test/support/fake-smtp-server.ts';
import { createInstallation, type Installation } from './test/support/installation.ts';
import { createMailGenerator } from './test/support/mail-generator.ts';

const dist = join(import.meta.dirname, 'dist');
const commandMsMax = 60_000;

async function main(): Promise<void> {
  // Of another version of Node, perhaps: and the larger one of two stays.
  for (const name of readdirSync(dist)) if (/\.cache(\.|$)/.test(name)) rmSync(join(dist, name));
  const [imap, smtp] = [
    await startFakeImap({ folders: [mailbox('INBOX', 150), mailbox('Work', 60)] }),
    await startFakeSmtp(),
  ];
  const installation = createInstallation();
  process.env.NODE_OPTIONS = `--require ${JSON.stringify(join(import.meta.dirname, 'code-cache-record.cjs'))}`;
  process.env.NODE_TAG = String(nodeTag());
  try {
    await useIt(installation, {
      imap: `imap://anna@127.0.0.1:${imap.port}`,
      smtp: `smtp://anna@127.0.0.1:${smtp.port}`,
    });
  } finally {
    await imap.stop();
    await smtp.stop();
    installation.remove();
  }
}

function mailbox(path: string, count: number) {
  const generator = createMailGenerator(1);
  const entry = folder(path);
  for (let done = 0; done < count; done += 1) addMessage(entry, generator.next('small').raw);
  return entry;
}

async function useIt(installation: Installation, servers: { imap: string; smtp: string }): Promise<void> {
  const run = async (...args: string[]): Promise<void> => {
    const { child, ended } = installation.start(...args);
    const timer = setTimeout(() => child.kill('SIGKILL'), commandMsMax);
    const { code, signal, stderr } = await ended;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code ?? signal}: ${stderr}`);
  };
  const account = ['--email', 'anna@example.com', '--imap', servers.imap, '--smtp', servers.smtp];
  await run('account', 'add', ...account, '--password-env', 'TEST_PASSWORD');
  await run('run', '--once');
  await run('outbox', 'send', '--account', '1', '--to', 'jan@example.com', '--subject', 'hello', '--text', 'hello');
  await run('run', '--once');
  const looks = ['verify 1', 'account list', 'folder list 1', 'message list', 'log', 'config check'];
  for (const args of ['sync 1 --full', ...looks]) await run(...args.split(' '));
  try {
    await run('start');
    await run('sync', '1');
  } finally {
    await run('stop');
  }
}

await main().catch((error: unknown) => {
  process.stderr.write(`build: without what V8 keeps of the code, starts take a quarter longer: ${String(error)}\n`);
});
