/** Several commands under way at once: only over a link that is long, never against the order of the answers, and never for ever. */
import { afterEach, describe, expect, it } from 'vitest';
import { createLink } from '../../src/imap/link.ts';
import type { ImapSession, SessionOptions } from '../../src/imap/session.ts';
import type { FakeOptions } from '../support/fake-imap-server.ts';
import { folder, type Part } from '../support/fake-mailbox.ts';
import { sessionOn } from '../support/one-session.ts';
import { startScenario } from './scenario.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** Longer than a LAN's. */
const delayMs = 20;
const capabilities = ['CONDSTORE', 'QRESYNC', 'LIST-STATUS', 'ENABLE', 'ID', 'UIDPLUS', 'NAMESPACE'];

type Script = NonNullable<FakeOptions['script']>;

/** Keeps the answer to `first` until `second` has come: who waits for the one before asking for the other waits for ever. */
function answersTogether(first: string, second: string): Script {
  let kept: readonly Part[] = [];
  return ({ verb }, honest) => {
    if (verb === first) kept = honest;
    if (verb === first) return { parts: [] };
    if (verb !== second || kept.length === 0) return undefined;
    const parts = [...kept, ...honest];
    kept = [];
    return { parts };
  };
}

const open = (script: Script, options: Partial<SessionOptions> = {}, fake: Partial<FakeOptions> = {}) =>
  sessionOn(
    { folders: [folder('INBOX', 5), folder('Other', 2)], capabilities, delayMs, script, ...fake },
    { commandTimeoutMs: 500, ...options },
    cleanups,
  );

/** As a pass does it. */
async function list(session: ImapSession, path: string, first = 1): Promise<unknown> {
  await session.openFolder(path, { listFrom: first });
  return session.listUids({ first });
}

describe('over a long link', () => {
  it('a folder is opened and listed in one round trip', async () => {
    const session = await open(answersTogether('EXAMINE', 'UID FETCH'));
    expect(await list(session, 'INBOX')).toEqual([[1, 5]]);
    expect(await list(session, 'INBOX', 4)).toEqual([[4, 5]]);
    // `6:*` is answered with the last message.
    expect(await list(session, 'INBOX', 6)).toEqual([]);
  });

  it('what is listed once is not taken for a later listing', async () => {
    const session = await open(() => undefined);
    await session.openFolder('INBOX', { listFrom: 4 });
    expect(await session.listUids({ first: 4 })).toEqual([[4, 5]]);
    expect(await session.listUids({ first: 1 })).toEqual([[1, 5]]);
    await session.openFolder('INBOX', { listFrom: 1 });
    await session.openFolder('Other');
    expect(await session.listUids({ first: 1 })).toEqual([[1, 2]]);
  });

  it('ID and ENABLE go out together', async () => {
    const session = await open(answersTogether('ID', 'ENABLE'));
    expect(session.capabilities.hasQresync).toBe(true);
  });

  it('and so does the listing, where it comes first', async () => {
    const session = await open(answersTogether('ENABLE', 'LIST'), { listsFirst: true });
    expect(session.hasAskedAhead).toBe(true);
    for (const _ of ['asked for by the login', 'and again']) {
      const { folders, isComplete } = await session.listFolders({ withStatus: true });
      expect(isComplete).toBe(true);
      expect(folders.map(({ path, status }) => [path, status?.messages])).toEqual([
        ['INBOX', 5],
        ['Other', 2],
      ]);
    }
  });

  it('a listing that came with the login and could not be read in full is not complete', async () => {
    let listCount = 0;
    const session = await open(
      ({ verb }, honest) =>
        verb === 'LIST' && listCount++ === 0 ? { parts: ['* LIST (((\r\n', ...honest] } : undefined,
      { listsFirst: true },
    );
    expect(await session.listFolders({ withStatus: true })).toMatchObject({ isComplete: false });
    expect(await session.listFolders({ withStatus: true })).toMatchObject({ isComplete: true });
  });

  it('a listing that came with the login may take longer than a lost command is waited for', async () => {
    let ms = 0;
    const script: Script = ({ verb }, honest) => {
      if (verb !== 'LIST') return undefined;
      ms = performance.now();
      return { parts: honest, dripMs: 10, dripBytes: 2 };
    };
    const session = await open(script, { listsFirst: true });
    expect((await session.listFolders({ withStatus: true })).folders).toHaveLength(2);
    expect(performance.now() - ms).toBeGreaterThan(500);
  });

  it('a listing that is not what comes first is not taken for a later one', async () => {
    const folders = [folder('INBOX', 5)];
    const session = await open(() => undefined, { listsFirst: true }, { folders });
    await session.openFolder('INBOX');
    folders.push(folder('New', 1));
    expect((await session.listFolders({ withStatus: true })).folders).toHaveLength(2);
  });

  it('but not where the library must know what the server is before it enables IMAP4rev2', async () => {
    const order: string[] = [];
    let idAnswered = false;
    const note: Script = ({ verb }) => {
      if (verb === 'ID') setTimeout(() => (idAnswered = true), 5);
      if (verb === 'ENABLE') order.push(idAnswered ? 'ENABLE after ID' : 'ENABLE with ID');
      return undefined;
    };
    await open(note, {}, { capabilities: [...capabilities, 'IMAP4rev2'] });
    expect(order).toEqual(['ENABLE after ID']);
  });

  it('what QRESYNC tells on opening is kept apart from the listing', async () => {
    const session = await open((command, honest) =>
      command.verb === 'EXAMINE'
        ? {
            parts: [
              ...honest.slice(0, -1),
              '* VANISHED (EARLIER) 3\r\n',
              '* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (7))\r\n',
              ...honest.slice(-1),
            ],
          }
        : undefined,
    );
    const opened = await session.openFolder('INBOX', { since: { uidValidity: 1000, modseq: 6n }, listFrom: 4 });
    expect(opened.changes).toEqual({ vanished: [[3, 3]], flags: [{ uid: 2, flags: '\\Flagged', modseq: 7n }] });
    expect(await session.listUids({ first: 4 })).toEqual([[4, 5]]);
  });

  it('a name that goes as a literal is waited for', async () => {
    const wireNames = new Map([['odd', 'two\nlines']]);
    const session = await open(() => undefined, { wireNames }, { folders: [folder('two\nlines', 3)] });
    expect(await list(session, 'odd')).toEqual([[1, 3]]);
  });
});

describe('a server that refuses', () => {
  it('the opening has refused both, and the connection goes on', async () => {
    const session = await open(({ verb, args, tag }) =>
      args.includes('Other') && verb === 'EXAMINE' ? { parts: [`${tag} NO [NOPERM] not yours\r\n`] } : undefined,
    );
    await session.openFolder('INBOX');
    await expect(session.openFolder('Other', { listFrom: 1 })).rejects.toMatchObject({ scope: 'folder' });
    expect(await list(session, 'INBOX')).toEqual([[1, 5]]);
  });

  it('the listing only is asked for it by itself', async () => {
    let count = 0;
    const session = await open(({ verb, tag }) =>
      verb === 'UID FETCH' && count++ === 0 ? { parts: [`${tag} BAD not now\r\n`] } : undefined,
    );
    expect(await list(session, 'INBOX')).toEqual([[1, 5]]);
    expect(count).toBe(2);
  });
});

describe('a server that can only do one thing at a time', () => {
  /** What comes within its round trip is lost. */
  const losing = (behind: string, ...busyWith: string[]): Script => {
    let isBusy = false;
    return ({ verb }) => {
      if (verb === behind && isBusy) return { parts: [] };
      isBusy = busyWith.includes(verb);
      if (isBusy) setTimeout(() => (isBusy = false), delayMs / 2);
      return undefined;
    };
  };

  it('is asked for one after the other on the next connection', async () => {
    const link = createLink();
    const warnings: string[] = [];
    const script = losing('UID FETCH', 'EXAMINE');
    const session = await open(script, { link, onWarning: (text) => warnings.push(text) });
    await expect(list(session, 'INBOX')).rejects.toMatchObject({ code: 'timeout' });
    expect(warnings.filter((text) => text.includes('one at a time'))).toHaveLength(1);
    const next = await open(script, { link });
    expect(await list(next, 'INBOX')).toEqual([[1, 5]]);
  });

  it('is logged in to all the same', async () => {
    const session = await open(losing('ENABLE', 'ID'));
    expect(await list(session, 'INBOX')).toEqual([[1, 5]]);
  });

  it('is asked for its listing by itself on the next connection', async () => {
    const link = createLink();
    const script = losing('LIST', 'ENABLE');
    const session = await open(script, { link, listsFirst: true });
    await expect(session.listFolders({ withStatus: true })).rejects.toMatchObject({ scope: 'account' });
    expect(link.takesTwo).toBe(false);
    const next = await open(script, { link, listsFirst: true });
    expect(next.hasAskedAhead).toBe(false);
    expect((await next.listFolders({ withStatus: true })).folders).toHaveLength(2);
  });

  it('is synced by one pass', async ({ onTestFinished }) => {
    const folders = [folder('INBOX', 5)];
    const script = losing('LIST', 'ENABLE');
    const scenario = await startScenario({ folders, capabilities, delayMs, script }, {}, onTestFinished);
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    expect(scenario.differences()).toEqual([]);
    expect(scenario.server.connectionCount).toBe(2);
  });

  it('and a connection that we cut tells nothing of it', async () => {
    const link = createLink();
    const cancel = new AbortController();
    const cutting: Script = ({ verb }) => {
      if (verb === 'UID FETCH') cancel.abort();
      return undefined;
    };
    const session = await open(cutting, { link, signal: cancel.signal, commandTimeoutMs: 10_000 });
    await expect(list(session, 'INBOX')).rejects.toMatchObject({ code: 'aborted' });
    expect(link.takesTwo).toBe(true);
  });
});
