/** Connections that are cut, stall, drip, flood or speak something else (RELIABILITY faults 20 to 26). */
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FakeOptions } from '../support/fake-imap-server.ts';
import { folder, type Part } from '../support/fake-mailbox.ts';
import { startScenario } from './scenario.ts';

type Script = NonNullable<FakeOptions['script']>;

/** Only the first answer with bodies is spoilt, unless `every`. */
const spoilBodies = (spoil: (honest: readonly Part[]) => ReturnType<Script>, every = false): Script => {
  let count = 0;
  return ({ verb, args }, honest) => {
    if (verb !== 'UID FETCH' || !args.includes('BODY.PEEK[]')) return undefined;
    count += 1;
    return count === 1 || every ? spoil(honest) : undefined;
  };
};
const bytesOf = (parts: readonly Part[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

describe.concurrent('a connection cut', () => {
  for (const ending of ['close', 'reset'] as const) {
    it(`(${ending}) at any byte of an answer stores no partial message and is resumed`, async ({ onTestFinished }) => {
      const scenario = await startScenario({ folders: [folder('INBOX', 8)] }, {}, onTestFinished);
      const sizes = [1, 60, 100, 230, 480, 900, 1700];
      for (const size of sizes) {
        scenario.server.script = spoilBodies((honest) => ({ parts: [bytesOf(honest).subarray(0, size)], ending }));
        scenario.server.folders[0]?.messages.forEach((entry) => {
          entry.uid += 100;
        });
        const inbox = scenario.server.folders[0];
        if (inbox) inbox.uidNext += 100;
        await scenario.sync('--full');
        expect(scenario.differences().filter((line) => !line.startsWith('lost'))).toEqual([]);
      }
      await scenario.expectTrueCopy();
    });
  }

  it('with BYE between two answers is taken up on a new connection', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 8)],
        script: spoilBodies(() => ({ parts: ['* BYE server shutting down\r\n'], ending: 'close' })),
      },
      {},
      onTestFinished,
    );
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences()).toEqual([]);
  });
});

describe.concurrent('a server that', () => {
  it('falls silent is given up at the deadline, and the pass goes on', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 8)],
        script: spoilBodies((honest) => ({ parts: honest.slice(0, 2) })),
      },
      {},
      onTestFinished,
    );
    const startedMs = performance.now();
    expect((await scenario.sync()).code).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(scenario.differences()).toEqual([]);
  });

  for (const [what, isPlace] of [
    ['bodies', (verb: string, args: string) => verb === 'UID FETCH' && args.includes('BODY.PEEK[]')],
    ['flags', (verb: string, args: string) => verb === 'UID FETCH' && !args.includes('BODY')],
    ['its folders', (verb: string) => verb === 'LIST'],
  ] as const) {
    it(`drips ${what}, a byte at a time, is given up at the deadline`, async ({ onTestFinished }) => {
      let count = 0;
      const scenario = await startScenario(
        {
          folders: [folder('INBOX', 40), folder('Other', 3)],
          script: ({ verb, args }, honest) => {
            if (!isPlace(verb, args)) return undefined;
            count += 1;
            return count === 1 ? { parts: honest, dripMs: 20 } : undefined;
          },
        },
        {},
        onTestFinished,
      );
      const startedMs = performance.now();
      expect([0, 75]).toContain((await scenario.sync()).code);
      expect(performance.now() - startedMs).toBeLessThan(20_000);
      expect(count).toBeGreaterThan(0);
      await scenario.expectTrueCopy();
    });
  }

  it('lists many folders slowly is heard out, as long as they come', async ({ onTestFinished }) => {
    const many = Array.from({ length: 50 }, (_, index) => folder(`Project ${index}`));
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 3), ...many],
        script: ({ verb }, honest) => (verb === 'LIST' ? { parts: honest, dripMs: 40, dripBytes: 40 } : undefined),
      },
      {},
      onTestFinished,
    );
    const startedMs = performance.now();
    expect(await scenario.sync()).toMatchObject({ code: 0, stderr: '' });
    // Longer than a command may take.
    expect(performance.now() - startedMs).toBeGreaterThan(4000);
    expect(scenario.differences()).toEqual([]);
  });

  it('falls silent at every command leaves the account backed off', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      { folders: [folder('INBOX', 3)], script: () => ({ parts: [] }) },
      {},
      onTestFinished,
    );
    const outcome = await scenario.sync();
    expect(outcome.code).toBe(75);
    expect(outcome.stderr.split('\n')).toHaveLength(2);
    expect(scenario.accountState()).toMatchObject({ state: 'backoff' });
    await scenario.expectTrueCopy();
  });

  it('announces a literal of a gigabyte is refused before it is read', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 3), folder('Other', 3)],
        script: ({ verb, args, folder: open }) =>
          open?.path === 'INBOX' && verb === 'UID FETCH' && args.includes('BODY.PEEK[]')
            ? { parts: ['* 1 FETCH (UID 1 FLAGS () BODY[] {1000000000}\r\n', 'x'.repeat(1000)] }
            : undefined,
      },
      {},
      onTestFinished,
    );
    expect((await scenario.sync()).code).toBe(0);
    expect(scenario.differences().every((line) => line.startsWith('lost: INBOX'))).toBe(true);
    expect(scenario.installation.query('SELECT uid FROM email_quarantine')).toHaveLength(3);
    await scenario.retryQuarantined();
    await scenario.expectTrueCopy();
  });

  it('never ends a line, or floods tokens, is cut off', async ({ onTestFinished }) => {
    for (const flood of [Buffer.alloc(17 * 1024 * 1024, 'x'), `* 1 FETCH (FLAGS (${'a '.repeat(300_000)}))\r\n`]) {
      const scenario = await startScenario(
        {
          folders: [folder('INBOX', 30)],
          script: spoilBodies(() => ({ parts: [flood] }), true),
        },
        {},
        onTestFinished,
      );
      expect((await scenario.sync()).code).toBe(75);
      expect(scenario.accountState().state).toBe('backoff');
      await scenario.retryQuarantined();
      await scenario.expectTrueCopy();
    }
    // Every reconnection gets its flood.
  }, 180_000);

  it('corrupts the protocol is not believed', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        folders: [folder('INBOX', 8)],
        script: spoilBodies((honest) => {
          const bytes = bytesOf(honest);
          for (let index = 5; index < bytes.length; index += 97) bytes[index] = 0x28;
          return { parts: [bytes] };
        }),
      },
      {},
      onTestFinished,
    );
    await scenario.sync();
    scenario.server.script = undefined;
    await scenario.sync();
    const invented = scenario.differences().filter((line) => /invented|doubled|lost/.test(line));
    expect(invented).toEqual([]);
  });
});

describe.concurrent('what is no IMAP server', () => {
  for (const [name, greeting] of [
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'],
    ['an SSH server', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'],
    ['silence', ''],
    ['a TLS port', '\u0015\u0003\u0001\u0000\u0002\u0002\u0046'],
    ['a server that is full', '* BYE too many connections\r\n'],
  ] as const) {
    it(`(${name}) ends with one clear line and a backoff`, async ({ onTestFinished }) => {
      const scenario = await startScenario(
        { folders: [], greeting, script: () => ({ parts: [] }) },
        {},
        onTestFinished,
      );
      const outcome = await scenario.sync();
      expect([75, 78]).toContain(outcome.code);
      expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(scenario.accountState().state).toBe('backoff');
    });
  }

  it('is not trusted with compression that explodes', async ({ onTestFinished }) => {
    const scenario = await startScenario(
      {
        // So many lines of flags, so far away, are worth DEFLATE.
        folders: [folder('INBOX', 1000)],
        delayMs: 10,
        capabilities: ['CONDSTORE', 'LIST-STATUS', 'COMPRESS=DEFLATE'],
        script: ({ verb, tag }) =>
          verb === 'COMPRESS'
            ? { parts: [`${tag} OK begin\r\n`, deflateRawSync(Buffer.alloc(50 * 1024 * 1024, 'x'))] }
            : undefined,
      },
      {},
      onTestFinished,
    );
    expect(await scenario.sync()).toMatchObject({ code: 0 });
    expect(await scenario.sync('--full')).toMatchObject({ code: 75 });
    expect(scenario.server.commands.filter((command) => command.includes('COMPRESS'))).not.toEqual([]);
    expect(scenario.accountState().state).toBe('backoff');
    expect(scenario.differences()).toEqual([]);
  });
});
