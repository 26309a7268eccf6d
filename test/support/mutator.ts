/**
 * A client that changes an account at random, as people and filters do: appends, flags, copies, moves, expunges, folders made,
 * renamed and deleted. Refusals are part of life: another mutator was first. Everything follows from the seed, but not when.
 */
import { setImmediate as yieldNow } from 'node:timers/promises';
import { hostileMails } from './hostile-mail.ts';
import { type ImapClient, quote } from './imap-client.ts';
import { createMailGenerator, createRandom, type GeneratedMail } from './mail-generator.ts';

export interface MutatorOptions {
  readonly seed: number;
  /** Between the levels of folder names. */
  readonly delimiter: string;
  readonly prefix: string;
  /** Without MOVE (RFC 6851) a move is a copy and an expunge. */
  readonly hasMove: boolean;
  /** Bytes of the largest mails. */
  readonly largeBytes: number;
}

export interface Mutator {
  /** Folders and mail to begin with, lest most commands find nothing to work on. */
  fill(): Promise<void>;
  /** So many random commands; stops early when `signal` fires. Returns how many the server took. */
  run(count: number, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

const keywords = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', '$Work', 'custom', '$Forwarded'];

/** `connect` is called again when the server ends the connection, as it does when the open folder changes its UIDVALIDITY. */
export async function createMutator(connect: () => Promise<ImapClient>, options: MutatorOptions): Promise<Mutator> {
  let client = await connect();
  const random = createRandom(options.seed);
  const below = (count: number): number => Math.floor(random() * count);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const generator = createMailGenerator(options.seed);
  const hostile = hostileMails().filter(({ raw }) => raw.length < 300_000);
  const names = ['Alpha', 'Beta', 'Ga&AXwA8wFC-', 'De"lta', 'Alpha/Sub', 'Beta/x y'].map(
    (name) => options.prefix + name.replaceAll('/', options.delimiter),
  );
  const folders = ['INBOX', ...names];
  const state = { selected: '' };

  const select = async (path: string): Promise<void> => {
    if (state.selected === path) return;
    state.selected = '';
    await client.command(`SELECT ${quote(path)}`);
    state.selected = path;
  };
  const range = (): string => {
    const first = 1 + below(60);
    return pick([`${first}:${first + below(6)}`, `${first}`, `${first},${first + 3}`, '*', '1:3']);
  };
  const mail = (): GeneratedMail => {
    const generated = generator.next(random() < 0.8 ? 'small' : 'mixed');
    const kind = random();
    if (kind < 0.1) return { ...generated, raw: pick(hostile).raw };
    if (kind > 0.985) return { ...generated, raw: large(options.largeBytes, below(1e9)) };
    return generated;
  };

  const actions: readonly (readonly [weight: number, act: () => Promise<unknown>])[] = [
    [8, () => client.append(pick(folders), Array.from({ length: 1 + below(6) }, mail))],
    [10, () => store('+FLAGS')],
    [6, () => store('-FLAGS')],
    [2, () => store('FLAGS')],
    [3, () => inFolder(() => client.command(`COPY ${range()} ${quote(pick(folders))}`))],
    [3, () => inFolder(move)],
    [3, () => inFolder(() => client.command(`STORE ${range()} +FLAGS (\\Deleted)`))],
    [3, () => inFolder(() => client.command('EXPUNGE'))],
    [2, () => client.command(`CREATE ${quote(pick(names))}`)],
    [0.5, () => leaving(() => client.command(`DELETE ${quote(pick(names))}`))],
    [0.5, () => leaving(() => client.command(`RENAME ${quote(pick(names))} ${quote(pick(names))}`))],
  ];
  const total = actions.reduce((sum, [weight]) => sum + weight, 0);

  async function store(how: string): Promise<unknown> {
    return inFolder(() => client.command(`STORE ${range()} ${how} (${pick(keywords)} ${pick(keywords)})`));
  }
  async function move(): Promise<unknown> {
    const to = quote(pick(folders));
    if (options.hasMove) return client.command(`MOVE ${range()} ${to}`);
    const what = range();
    await client.command(`COPY ${what} ${to}`);
    await client.command(`STORE ${what} +FLAGS (\\Deleted)`);
    return client.command('EXPUNGE');
  }
  async function inFolder(act: () => Promise<unknown>): Promise<unknown> {
    await select(random() < 0.5 ? 'INBOX' : pick(folders));
    return act();
  }
  /** A folder that is open somewhere can't go. */
  async function leaving(act: () => Promise<unknown>): Promise<unknown> {
    if (state.selected !== '') await client.command('CLOSE');
    state.selected = '';
    return act();
  }
  const draw = (): (() => Promise<unknown>) => {
    let left = random() * total;
    for (const [weight, act] of actions) {
      left -= weight;
      if (left < 0) return act;
    }
    return () => store('+FLAGS');
  };

  return {
    close: () => client.close(),
    async fill() {
      await client.append('INBOX', Array.from({ length: 40 }, mail));
      for (const name of names) await client.command(`CREATE ${quote(name)}`);
    },
    async run(count, signal) {
      let taken = 0;
      for (let index = 0; index < count && !signal.aborted; index += 1) {
        try {
          await draw()();
          taken += 1;
        } catch (error) {
          const isRefused = /: a\d+ (NO|BAD)/.test(String(error));
          if (!isRefused && !/connection closed|EPIPE|ECONNRESET/.test(String(error))) throw error;
          if (!isRefused) client = await connect();
          if (!isRefused || /SELECT|BAD/.test(String(error))) state.selected = '';
        }
        await yieldNow();
      }
      return taken;
    },
  };
}

const large = (bytes: number, salt: number): Buffer => {
  const line = `${salt} ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ\r\n`;
  return Buffer.from(`Subject: large ${salt}\r\n\r\n${line.repeat(Math.ceil(bytes / line.length))}`);
};
