/** FETCH answers that are odd and legal, or that only one of two commands gives (RELIABILITY faults 14 and 15). */
import { describe, expect, it } from 'vitest';
import type { FakeOptions } from '../support/fake-imap-server.ts';
import { type FakeMessage, fetchRows, folder, message, type Part } from '../support/fake-mailbox.ts';
import { type Scenario, startScenario } from './scenario.ts';

/** Seconds: the tests run beside each other, and nothing in them depends on a deadline. */
const calm = { EMAIL_NETWORK_TIMEOUT: 10 };

type Script = NonNullable<FakeOptions['script']>;
type Spell = (entry: FakeMessage, sequence: number) => Part[];

const isBodies = (args: string): boolean => args.includes('BODY.PEEK[]');
const flagsOf = ({ flags }: FakeMessage): string => `FLAGS (${flags.join(' ')})`;
const modseqOf = ({ modseq }: FakeMessage): string => `MODSEQ (${modseq})`;
const dateOf = ({ date }: FakeMessage): string => `INTERNALDATE "${date}"`;
const sizeOf = ({ raw }: FakeMessage): string => `RFC822.SIZE ${raw.length}`;

/** Every row of an answer with bodies in another spelling. */
const spelt =
  (spell: Spell): Script =>
  ({ verb, args, tag, folder: open }) => {
    if (verb !== 'UID FETCH' || !args.includes('BODY.PEEK[] ') || !open) return undefined;
    const asked = fetchRows(open, args, true).map((row) => Number(/UID (\d+)/.exec(String(row[0]))?.[1]));
    const rows = asked.flatMap((uid) => {
      const index = open.messages.findIndex((entry) => entry.uid === uid);
      return spell(open.messages[index] ?? message(uid), index + 1);
    });
    return { parts: [...rows, `${tag} OK done\r\n`] };
  };

const spellings: Readonly<Record<string, Spell>> = {
  'with the body as literal8': (entry, sequence) => [
    `* ${sequence} FETCH (UID ${entry.uid} ${flagsOf(entry)} ${dateOf(entry)} ${sizeOf(entry)} BODY[] ~{${entry.raw.length}}\r\n`,
    entry.raw,
    ` ${modseqOf(entry)})\r\n`,
  ],
  'with the length in many digits': (entry, sequence) => [
    `* ${sequence} FETCH (UID ${entry.uid} ${flagsOf(entry)} ${dateOf(entry)} BODY[] {${'0'.repeat(40)}${entry.raw.length}}\r\n`,
    entry.raw,
    ')\r\n',
  ],
  'with the items after the body, in small letters': (entry, sequence) => [
    `* ${sequence} fetch (body[] {${entry.raw.length}}\r\n`,
    entry.raw,
    ` ${dateOf(entry).toLowerCase()} rfc822.size ${entry.raw.length} modseq (${entry.modseq}) ${flagsOf(entry)} uid ${entry.uid})\r\n`,
  ],
  'with items nobody asked for, literals among them': (entry, sequence) => [
    `* ${sequence} FETCH (ENVELOPE (NIL {5}\r\n`,
    'a) {9',
    ` NIL) X-ODD {0}\r\n`,
    ` ${dateOf(entry)} UID ${entry.uid} ${flagsOf(entry)} BODY[TEXT]<0> {2}\r\n`,
    ')\n',
    ` BODY[] {${entry.raw.length}}\r\n`,
    entry.raw,
    ')\r\n',
  ],
  'between EXISTS, RECENT, flags of others and a literal of the server': (entry, sequence) => [
    `* ${sequence} FETCH (${flagsOf(entry)} UID ${entry.uid})\r\n`,
    '* 12 EXISTS\r\n* 0 RECENT\r\n* OK [ALERT] careful {3}\r\n',
    '{9}',
    '\r\n',
    `* ${sequence} FETCH (UID ${entry.uid} ${dateOf(entry)} ${sizeOf(entry)} ${flagsOf(entry)} BODY[] {${entry.raw.length}}\r\n`,
    entry.raw,
    ')\r\n',
  ],
  'in two pieces, flags apart from the body': (entry, sequence) => [
    `* ${sequence} FETCH (UID ${entry.uid} ${dateOf(entry)} ${sizeOf(entry)} BODY[] {${entry.raw.length}}\r\n`,
    entry.raw,
    ')\r\n',
    `* ${sequence} FETCH (UID ${entry.uid} ${flagsOf(entry)} ${modseqOf(entry)})\r\n`,
  ],
};

const flagged = (uid: number): FakeMessage => message(uid, 'INBOX', { flags: uid % 2 ? ['\\Seen', '$Label'] : [] });
const twelve = () => folder('INBOX', 12, { messages: Array.from({ length: 12 }, (_, index) => flagged(index + 1)) });

async function expectTrueAndIdle(scenario: Scenario): Promise<void> {
  expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
  expect(scenario.differences()).toEqual([]);
  expect(scenario.installation.query('SELECT uid, error FROM email_quarantine')).toEqual([]);
  await scenario.expectIdle();
}

describe.concurrent('a FETCH answer', () => {
  for (const [what, spell] of Object.entries(spellings))
    it(`${what} is read as it was meant`, async ({ onTestFinished }) => {
      await expectTrueAndIdle(await startScenario({ folders: [twelve()], script: spelt(spell) }, calm, onTestFinished));
    });

  it('with the body as a quoted string keeps every byte, 8-bit ones and escapes too', async ({ onTestFinished }) => {
    const inbox = twelve();
    for (const entry of inbox.messages) entry.raw = Buffer.from(`Subject: q\xe9\xff "${entry.uid}" \\ {3}`, 'latin1');
    const quoteBytes = (raw: Buffer): Buffer =>
      Buffer.from(`"${raw.toString('latin1').replace(/["\\]/g, '\\$&')}"`, 'latin1');
    const script = spelt((entry, sequence) => [
      `* ${sequence} FETCH (UID ${entry.uid} ${flagsOf(entry)} ${dateOf(entry)} ${sizeOf(entry)} BODY[] `,
      quoteBytes(entry.raw),
      ')\r\n',
    ]);
    await expectTrueAndIdle(await startScenario({ folders: [inbox], script }, calm, onTestFinished));
  });

  it('with such a body in the place of a part, too, where a server refuses it whole', async ({ onTestFinished }) => {
    const inbox = twelve();
    for (const entry of inbox.messages) entry.raw = Buffer.from(`Subject: q\xe9\xff "${entry.uid}"`, 'latin1');
    const quoteBytes = (raw: Buffer): Buffer =>
      Buffer.from(`"${raw.toString('latin1').replace(/["\\]/g, '\\$&')}"`, 'latin1');
    const script: Script = ({ verb, args, tag, folder: open }) => {
      if (verb !== 'UID FETCH' || !open || !args.includes('BODY.PEEK[]')) return undefined;
      if (!args.includes('[]<')) return { parts: [`${tag} NO not in bulk\r\n`] };
      const [head = '', body = ''] = fetchRows(open, args, true).flat();
      const start = String(head).replace(/\{\d+\}\r\n$/, '');
      return { parts: [start, quoteBytes(Buffer.from(body)), ')\r\n', `${tag} OK done\r\n`] };
    };
    await expectTrueAndIdle(await startScenario({ folders: [inbox], script }, calm, onTestFinished));
  });

  it('that arrives byte by byte is read as it was meant', async ({ onTestFinished }) => {
    const bytewise: Script = ({ verb, args }, honest) =>
      verb === 'UID FETCH' && isBodies(args)
        ? { parts: Array.from(Buffer.concat(honest.map((part) => Buffer.from(part))), (byte) => Buffer.from([byte])) }
        : undefined;
    await expectTrueAndIdle(
      await startScenario({ folders: [folder('INBOX', 4)], script: bytewise }, calm, onTestFinished),
    );
  });

  it('with an empty body for a message that has a size is not stored as it is', async ({ onTestFinished }) => {
    const inbox = twelve();
    const script = spelt((entry, sequence) => [
      `* ${sequence} FETCH (UID ${entry.uid} ${flagsOf(entry)} ${dateOf(entry)} ${sizeOf(entry)} BODY[] `,
      ...(entry.uid === 5 ? ['{0}\r\n'] : [`{${entry.raw.length}}\r\n`, entry.raw]),
      ')\r\n',
    ]);
    const scenario = await startScenario({ folders: [inbox], script }, calm, onTestFinished);
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });

  it('that refuses a message whole is made up for by its parts', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 40)],
        script: ({ verb, args, tag, folder: open }) => {
          if (verb !== 'UID FETCH' || !isBodies(args) || args.includes('BODY.PEEK[]<') || !open) return undefined;
          const isHit = fetchRows(open, args, true).some((row) => /UID (7|23) /.test(String(row[0])));
          return isHit ? { parts: [`${tag} NO [SERVERBUG] cannot read message\r\n`] } : undefined;
        },
      },
      calm,
      onTestFinished,
    );
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    expect(scenario.installation.query('SELECT uid FROM email_quarantine')).toEqual([]);
  });
});

describe.concurrent('a message that is larger than the server says', () => {
  it('is had in parts, however much larger', async ({ onTestFinished }) => {
    const inbox = folder('INBOX', 25);
    const bytes = Buffer.from(`Subject: large\r\n\r\n${'a line of text, and another one\r\n'.repeat(600_000)}`);
    inbox.messages[6] = message(7, 'INBOX', { raw: bytes });
    const script: Script = ({ verb, args }, honest) => {
      if (verb === 'UID SEARCH' && args.includes('LARGER')) return { parts: ['* SEARCH\r\n', ...honest.slice(-1)] };
      if (verb !== 'UID FETCH') return undefined;
      return {
        parts: honest.map((part) =>
          typeof part === 'string' ? part.replace(/RFC822.SIZE \d+/, 'RFC822.SIZE 100') : part,
        ),
      };
    };
    const scenario = await startScenario({ folders: [inbox], script }, calm, onTestFinished);
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
    expect(scenario.installation.query('SELECT uid, error FROM email_quarantine')).toEqual([]);
  });
});

describe.concurrent('a large message', () => {
  const large = Buffer.from(
    `Subject: large\r\n\r\n${Array.from({ length: 400_000 }, (_, line) => `${line} of the text, and on\r\n`).join('')}`,
  );
  const withLarge = () => {
    const inbox = folder('INBOX', 3);
    inbox.messages[1] = message(2, 'INBOX', { raw: large.subarray(0, 9_000_000) });
    return inbox;
  };
  /** Whatever part of it is asked for. */
  const answered =
    (name: string, bytes: Buffer): Script =>
    ({ verb, args, tag }) =>
      verb === 'UID FETCH' && /^2 .*BODY\.PEEK\[\]</.test(args)
        ? { parts: [`* 2 FETCH (UID 2 FLAGS () ${name} {${bytes.length}}\r\n`, bytes, ')\r\n', `${tag} OK done\r\n`] }
        : undefined;

  it('of a server that gives no parts is taken as the whole that it is', async ({ onTestFinished }) => {
    const script = answered('BODY[]', large.subarray(0, 9_000_000));
    await expectTrueAndIdle(await startScenario({ folders: [withLarge()], script }, calm, onTestFinished));
  });

  it('of a server that gives the first part again and again is not put together of that', async ({
    onTestFinished,
  }) => {
    const script = answered('BODY[]<0>', large.subarray(0, 4_000_000));
    const scenario = await startScenario({ folders: [withLarge()], script }, calm, onTestFinished);
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual(['lost: INBOX/1000/2']);
    expect(scenario.installation.query('SELECT uid, error FROM email_quarantine')).toEqual([
      { uid: 2, error: expect.stringContaining('bytes from 0 on, and not from 4000000 on') as unknown },
    ]);
    await scenario.retryQuarantined();
    await scenario.expectTrueCopy();
  });

  it('that is none, of such a server that refuses it whole and says that it is larger, is not doubled', async ({
    onTestFinished,
  }) => {
    const script: Script = ({ verb, args, tag, folder: open }) => {
      if (verb !== 'UID FETCH' || !open) return undefined;
      if (args.includes('BODY.PEEK[] ')) return { parts: [`${tag} NO not in bulk\r\n`] };
      const rows = fetchRows(open, args.replace(/<\d+\./, '<0.'), true).flat();
      const spell = (text: string): string => text.replace('BODY[]<0>', 'BODY[]').replace(/SIZE \d+/, 'SIZE 400');
      return { parts: [...rows.map((part) => (typeof part === 'string' ? spell(part) : part)), `${tag} OK done\r\n`] };
    };
    const scenario = await startScenario({ folders: [folder('INBOX', 3)], script }, calm, onTestFinished);
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });

  it('that is none, whatever size the server says, is copied', async ({ onTestFinished }) => {
    const script: Script = ({ verb, args, tag }, honest) => {
      if (verb === 'UID SEARCH' && args.includes('LARGER')) return { parts: ['* SEARCH 3\r\n', `${tag} OK done\r\n`] };
      const lie = (part: Part): Part =>
        typeof part === 'string' && part.includes('UID 3 ') ? part.replace(/SIZE \d+/, 'SIZE 4294967295') : part;
      return verb === 'UID FETCH' ? { parts: honest.map(lie) } : undefined;
    };
    await expectTrueAndIdle(await startScenario({ folders: [folder('INBOX', 5)], script }, calm, onTestFinished));
  });
});

describe.concurrent('a row that FETCH leaves out', () => {
  for (const count of [12, 60]) {
    it(`of ${count} is not taken for deleted while SEARCH lists it`, async ({ onTestFinished }) => {
      const inbox = folder('INBOX', count);
      const scenario = await startScenario({ folders: [inbox] }, calm, onTestFinished);
      await scenario.sync();
      scenario.server.script = ({ verb }, honest) =>
        verb === 'UID FETCH' ? { parts: honest.filter((part) => !/UID 3 /.test(String(part))) } : undefined;
      await scenario.sync('--full');
      expect(scenario.installation.query('SELECT uid FROM email_messages WHERE vanished_at IS NOT NULL')).toEqual([]);
      expect(scenario.differences()).toEqual([]);
      await scenario.expectTrueCopy();
    });

    it(`of ${count} at the first look is found by SEARCH`, async ({ onTestFinished }) => {
      const inbox = folder('INBOX', count);
      const script: Script = ({ verb, args }, honest) =>
        verb === 'UID FETCH' && !isBodies(args)
          ? { parts: honest.filter((part) => !/UID 3 /.test(String(part))) }
          : undefined;
      const scenario = await startScenario({ folders: [inbox], script }, calm, onTestFinished);
      await scenario.sync();
      expect(scenario.differences()).toEqual([]);
      await scenario.expectTrueCopy();
    });
  }
});
