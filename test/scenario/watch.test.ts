/** INBOX in IDLE: what stirs it, and what came just before it began. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqlite } from '../../src/base/sqlite.ts';
import type { ImapSession } from '../../src/imap/session.ts';
import { startEngine, until } from '../support/engine-process.ts';
import { type FakeOptions, startFakeImap, usualCapabilities } from '../support/fake-imap-server.ts';
import { addMessage, type FakeFolder, folder } from '../support/fake-mailbox.ts';
import { createInstallation } from '../support/installation.ts';
import { sessionOn } from '../support/one-session.ts';
import { differences } from '../support/oracle.ts';

type Script = NonNullable<FakeOptions['script']>;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const capabilities = [...usualCapabilities, 'IDLE'];
const raw = Buffer.from('Subject: in between\r\n\r\nText\r\n');

/** Serves IDLE. `onIdle`: it has begun; `also` answers what else there is. */
function idling(onIdle: () => void, also: Script = () => undefined): Script {
  let idleTag = '';
  return (command, honest) => {
    if (command.tag === 'DONE') return { parts: [`${idleTag} OK done\r\n`] };
    if (command.verb !== 'IDLE') return also(command, honest);
    idleTag = command.tag;
    onIdle();
    return { parts: ['+ idling\r\n'] };
  };
}

describe('a deletion during IDLE', () => {
  it.each(['* 2 EXPUNGE\r\n', '* VANISHED 2\r\n'])('told as %j stirs the watch', async (line) => {
    const stirred = new EventTarget();
    const session = await sessionOn(
      {
        folders: [folder('INBOX', 5)],
        capabilities: [...capabilities, 'QRESYNC'],
        script: ({ verb, tag }) =>
          verb === 'IDLE' ? { parts: ['+ idling\r\n', line] } : tag === 'DONE' ? { parts: [] } : undefined,
      },
      {},
      cleanups,
    );
    const stir = once(stirred, 'stir', { signal: AbortSignal.timeout(5000) });
    const watching = session.watchInbox(() => stirred.dispatchEvent(new Event('stir')));
    await stir;
    session.abort();
    await Promise.allSettled([watching]);
  });
});

describe('a watch that begins', () => {
  /** How often it was stirred before IDLE began; another command ends it. */
  async function watchFor(session: ImapSession, server: { onIdle: () => void }): Promise<number> {
    let count = 0;
    const begun = new Promise<void>((resolve) => {
      server.onIdle = resolve;
    });
    const watching = session.watchInbox(() => {
      count += 1;
    });
    await begun;
    const stirred = count;
    await session.listFolders({ withStatus: true });
    await watching;
    return stirred;
  }
  async function open(inbox: FakeFolder, also?: Script): Promise<() => Promise<number>> {
    const server = { onIdle: (): void => undefined };
    const script = idling(() => server.onIdle(), also);
    const session = await sessionOn({ folders: [inbox], capabilities, script }, {}, cleanups);
    await session.listFolders({ withStatus: true });
    return () => watchFor(session, server);
  }

  it('is stirred by what came since the listing, once, and by nothing where nothing came', async () => {
    const inbox = folder('INBOX', 5);
    const watch = await open(inbox);
    expect(await watch()).toBe(0);
    addMessage(inbox, raw);
    expect(await watch()).toBe(1);
    expect(await watch()).toBe(0);
  });

  it('is stirred by what went, and by a flag that was set', async () => {
    const inbox = folder('INBOX', 5);
    const watch = await open(inbox);
    inbox.messages.pop();
    expect(await watch()).toBe(1);
    for (const message of inbox.messages.slice(0, 1)) Object.assign(message, { flags: ['\\Seen'], modseq: 900 });
    expect(await watch()).toBe(1);
    expect(await watch()).toBe(0);
  });

  it('is not stirred again and again where listing and opening never agree', async () => {
    const wrong: Script = ({ verb }, honest) =>
      verb === 'EXAMINE'
        ? { parts: honest.map((part) => String(part).replace(/UIDNEXT \d+/, 'UIDNEXT 77')) }
        : undefined;
    const watch = await open(folder('INBOX', 5), wrong);
    const stirs: number[] = [];
    for (let count = 0; count < 6; count += 1) stirs.push(await watch());
    expect(stirs).toEqual([1, 1, 1, 0, 0, 0]);
  });
});

describe('the engine', () => {
  it('has at once what came after a pass had listed and before its watch began', async () => {
    const inbox = folder('INBOX', 3);
    let comesNext = false;
    const script = idling(
      () => undefined,
      ({ verb }) => {
        // Behind the answer, which was worked out already.
        if (verb === 'LIST' && comesNext) addMessage(inbox, raw);
        if (verb === 'LIST') comesNext = false;
        return undefined;
      },
    );
    const server = await startFakeImap({ folders: [inbox], capabilities, script });
    cleanups.push(() => server.stop());
    const installation = createInstallation();
    cleanups.push(() => installation.remove());
    const acntid = await installation.addAccount(server.port, 'anna');
    const engine = await startEngine(installation);
    cleanups.push(() => engine.stop());
    const isCopied = (): boolean => differences(installation, acntid, server.listing()).length === 0;
    await until(() => isCopied() && !server.commands.some((command) => command.includes('IDLE')));
    comesNext = true;
    const database = openSqlite(installation.storeFile, { timeout: 10_000 });
    database.exec(`UPDATE email_accounts SET user_id = 'anna'`);
    database.exec(
      `INSERT INTO email_presence (user_id, last_seen_at) VALUES ('anna', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))`,
    );
    database.close();
    await until(() => inbox.messages.length === 4);
    await until(isCopied, 10_000);
  });
});
