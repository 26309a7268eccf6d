/**
 * `npm run demo`: a Dovecot of its own with three people's mail, the command line as an administrator uses it, changes on the
 * server, a second run, a proof, a search, a mail through the outbox, and two queries. Everything lies in .demo/ afterwards; the server is stopped.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSqlite } from '../src/base/sqlite.ts';
import { type Dovecot, hasDovecot, startDovecot } from '../test/support/dovecot.ts';
import { createMailGenerator } from '../test/support/mail-generator.ts';
import { choosePorts, dovecotExtra, type Postfix, startPostfix, whyNoPostfix } from '../test/support/postfix.ts';
import { formatTable } from '../src/cli/table.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, '.demo');
const people = ['anna', 'juergen', 'yamada'];
const folders = [
  ['INBOX', 700],
  ['Sent', 300],
  ['Projects/2026', 200],
  ['Umowy &AXwA8wFCAQc-', 60],
] as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const heading = (text: string): void => say(`\n\u001b[1m${text}\u001b[0m`);

/** Runs backproc as typed, showing the command first. */
async function backproc(...args: string[]): Promise<void> {
  say(`\u001b[36m$ backproc ${args.map((arg) => (/[ %]/.test(arg) ? `'${arg}'` : arg)).join(' ')}\u001b[0m`);
  const child = spawn(process.execPath, [join(root, 'dist/main.js'), ...args], { cwd: folder, stdio: 'inherit', env: { ...process.env, DEMO_PASSWORD: 'pw' } });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`backproc ${args[0]} ended with ${String(code)}`);
}

async function fill(dovecot: Dovecot): Promise<number> {
  let total = 0;
  for (const [index, user] of people.entries()) {
    const generator = createMailGenerator(index + 1);
    const client = await dovecot.client(user);
    for (const [path, count] of folders) {
      if (path !== 'INBOX') await client.command(`CREATE "${path}"`);
      await client.append(path, Array.from({ length: count }, () => generator.next('mixed')));
      total += count;
    }
    await client.close();
  }
  return total;
}

async function changeMail(dovecot: Dovecot): Promise<void> {
  const generator = createMailGenerator(99);
  const client = await dovecot.client('anna');
  await client.append('INBOX', Array.from({ length: 12 }, () => generator.next('small')));
  await client.command('SELECT INBOX');
  await client.command('UID STORE 1:20 +FLAGS (\\Flagged)');
  await client.command('UID MOVE 30:39 "Projects/2026"');
  await client.command('UID STORE 50:54 +FLAGS (\\Deleted)');
  await client.command('EXPUNGE');
  await client.close();
}

const queries = [
  ['Who writes most to whom?', `SELECT a.email AS account, json_extract(c.from_addresses, '$[0].address') AS sender, COUNT(*) AS mails FROM email_messages m JOIN email_contents c ON c.id = m.content_id JOIN email_accounts a USING (acntid) WHERE m.vanished_at IS NULL GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 5`],
  ['What happened since the first sync?', `SELECT kind, COUNT(*) AS count, MIN(seq) AS first_seq FROM email_changes GROUP BY kind ORDER BY 3`],
] as const;

function query(sql: string): void {
  const database = openSqlite(join(folder, 'store/mail.db'), { readonly: true });
  say(formatTable(database.prepare<unknown[], Record<string, string | number>>(sql).all()));
  database.close();
}

/** As an application does it. */
function execute(sql: string): void {
  say(`\u001b[2m${sql}\u001b[0m`);
  const database = openSqlite(join(folder, 'store/mail.db'), { timeout: 10_000 });
  database.exec(sql);
  database.close();
}

async function demo(dovecot: Dovecot, postfix: Postfix | null): Promise<void> {
  heading('1. Three accounts, once');
  for (const user of people) {
    await backproc('account', 'add', '--email', `${user}@example.com`, '--imap', `imap://${user}@127.0.0.1:${dovecot.port}`, '--password-env', 'DEMO_PASSWORD');
  }
  heading('2. What cron would launch every five minutes');
  await backproc('run', '--once');
  await backproc('account', 'list');

  heading('3. On the server: 12 new mails, 20 flagged, 10 moved, 5 deleted. Then again');
  await changeMail(dovecot);
  await backproc('sync', '1');
  await backproc('log', '--account', '1');

  heading('4. Is it all there? Every UID, flag and byte against the server');
  for (const index of people.keys()) await backproc('verify', String(index + 1), '--deep');

  heading('5. Found by any word');
  await backproc('search', 'zamowienie', 'invoice', '--limit', '3');

  heading('6. An application sends a mail: it inserts a row');
  if (postfix === null) say(`(left out: ${whyNoPostfix()})`);
  else {
    for (const [index, user] of people.entries()) await backproc('account', 'set', String(index + 1), '--smtp', `smtp://${user}@127.0.0.1:${postfix.port}`);
    execute(`INSERT INTO email_outbox (acntid, to_addresses, subject, body_text) VALUES (1, 'juergen@example.com', 'Zamówienie 4711', 'It is on its way.')`);
    await backproc('run', '--once');
    await backproc('outbox', 'show', '1');
  }

  heading('7. It is an ordinary SQL database');
  for (const [title, sql] of queries) {
    say(`\n${title}\n\u001b[2m${sql}\u001b[0m`);
    query(sql);
  }
}

if (!hasDovecot()) throw new Error('the demo needs a Dovecot: see the message of the setup above');
const startedMs = performance.now();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
writeFileSync(join(folder, 'config.json'), '{}\n');
const ports = whyNoPostfix() === null ? await choosePorts() : null;
const dovecot = await startDovecot(ports ? { extra: dovecotExtra(ports) } : {});
const postfix = ports && (await startPostfix(ports));
const stopServers = async (): Promise<void> => {
  await postfix?.stop();
  await dovecot.stop();
};
const interrupt = (): void => void stopServers().then(() => process.exit(130));
process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
try {
  say(`A Dovecot of our own listens on 127.0.0.1:${dovecot.port}; filling it …`);
  say(`${await fill(dovecot)} messages in ${people.length * folders.length} folders`);
  await demo(dovecot, postfix);
  say(`\nDone in ${Math.round((performance.now() - startedMs) / 1000)} s. The store is .demo/store/mail.db, the log .demo/logs/.`);
  say('Look further:  cd .demo && node ../dist/main.js message list   ·   docs/schema.md has twelve queries   ·   README.md: for real');
} catch (error) {
  say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await stopServers();
}
