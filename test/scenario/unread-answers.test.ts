/** Answers that could not be read: what looks like a deletion and is none, what is one although the server can't count; flags. */
import { describe, expect, it } from 'vitest';
import { type FakeOptions, usualCapabilities } from '../support/fake-imap-server.ts';
import { addMessage, type FakeFolder, folder, message, newestModseq, type Part } from '../support/fake-mailbox.ts';
import { createRandom } from '../support/mail-generator.ts';
import { type Scenario, startScenario } from './scenario.ts';

type Script = NonNullable<FakeOptions['script']>;

const spoil = (parts: readonly Part[], line: RegExp, with_: string): { parts: Part[] } => ({
  parts: parts.map((part) => (typeof part === 'string' && line.test(part) ? with_ : part)),
});

/** In both looks of a scan: a FETCH row that can't be read, and `search` in the place of what SEARCH finds. */
const spoilBoth =
  (search: string): Script =>
  ({ verb, args }, honest) => {
    if (verb === 'UID SEARCH') return spoil(honest, /^\* SEARCH/, search);
    return verb === 'UID FETCH' && args.startsWith('1:*')
      ? spoil(honest, /\(UID 3 /, '* 3 FETCH (UID 3 (((\r\n')
      : undefined;
  };

const goneUids = ({ installation }: Scenario): number[] =>
  installation
    .query<{ uid: number }>('SELECT uid FROM email_messages WHERE vanished_at IS NOT NULL ORDER BY uid')
    .map(({ uid }) => uid);

describe.each([
  ['with CONDSTORE', usualCapabilities],
  ['without CONDSTORE', ['LIST-STATUS', 'UIDPLUS']],
])('%s', (_, capabilities) => {
  it.each([
    ['cannot be read', '* SEARCH 1 2 (((\r\n'],
    ['says nothing', ''],
    ['is cut short', '* SEARCH 1 2 4\r\n'],
  ])('a message is not gone because FETCH could not be read and SEARCH %s', async (__, search) => {
    const scenario = await startScenario({ folders: [folder('INBOX', 5)], capabilities });
    await scenario.sync();
    scenario.server.script = spoilBoth(search);
    for (let pass = 0; pass < 3; pass += 1) await scenario.sync('--full');
    expect(goneUids(scenario)).toEqual([]);
    await scenario.expectTrueCopy();
  });

  it('nor because the server did not even count its messages', async () => {
    const scenario = await startScenario({ folders: [folder('INBOX', 5)], capabilities });
    await scenario.sync();
    const spoiled = spoilBoth('* SEARCH 1 2 (((\r\n');
    scenario.server.script = (command, honest) =>
      command.verb === 'EXAMINE' ? spoil(honest, /EXISTS/, '') : spoiled(command, honest);
    for (let pass = 0; pass < 3; pass += 1) await scenario.sync('--full');
    expect(goneUids(scenario)).toEqual([]);
    await scenario.expectTrueCopy();
  });

  it('nor because the last look left it out, of a folder that is never counted', async () => {
    const scenario = await startScenario({ folders: [folder('INBOX', 5)], capabilities });
    await scenario.sync();
    let looks = 0;
    scenario.server.script = ({ verb, args }, honest) => {
      if (verb === 'EXAMINE') return spoil(honest, /EXISTS/, '');
      if (verb === 'UID FETCH' && args.startsWith('1:*')) looks += 1;
      if (looks < 3) return undefined;
      return verb === 'UID SEARCH'
        ? spoil(honest, /^\* SEARCH/, '* SEARCH 1 2 4 5\r\n')
        : spoil(honest, /\(UID 3 /, '');
    };
    await scenario.sync('--full');
    expect(looks).toBe(3);
    expect(goneUids(scenario)).toEqual([]);
    await scenario.expectTrueCopy();
  });

  it('a deletion at a server that always counts one more than it lists is seen by the first full pass', async () => {
    const inbox = folder('INBOX', 5);
    const scenario = await startScenario({ folders: [inbox], capabilities });
    await scenario.sync();
    inbox.messages.splice(2, 1);
    scenario.server.script = ({ verb }, honest) =>
      verb === 'EXAMINE' ? spoil(honest, /EXISTS/, `* ${inbox.messages.length + 1} EXISTS\r\n`) : undefined;
    await scenario.sync('--full');
    expect(goneUids(scenario)).toEqual([3]);
  });
});

it('a change of flags that could not be read is asked for again by the next pass', async () => {
  const inbox = folder('INBOX', 5);
  const scenario = await startScenario({ folders: [inbox] });
  await scenario.sync();
  Object.assign(inbox.messages[2] ?? {}, { flags: ['\\Flagged'], modseq: 6 });
  scenario.server.script = (_, honest) => spoil(honest, /\(UID 3 /, '* 3 FETCH (UID 3 (((\r\n');
  await scenario.sync();
  expect(scenario.differences()).not.toEqual([]);
  scenario.server.script = undefined;
  await scenario.sync();
  expect(scenario.differences()).toEqual([]);
  await scenario.expectIdle();
});

it.each([
  ['cannot be read', '* 3 FETCH (UID 3 (((\r\n'],
  ['is left out', ''],
])('and by a full pass at once, where the row %s that would have told', async (_, row) => {
  const inbox = folder('INBOX', 5);
  const scenario = await startScenario({ folders: [inbox] });
  await scenario.sync();
  Object.assign(inbox.messages[2] ?? {}, { flags: ['\\Flagged'], modseq: 6 });
  scenario.server.script = ({ verb, args }, honest) =>
    verb === 'UID FETCH' && args.startsWith('1:*') ? spoil(honest, /\(UID 3 /, row) : undefined;
  await scenario.sync('--full');
  expect(scenario.differences()).toEqual([]);
  // No command tells of it: then the next pass asks again.
  Object.assign(inbox.messages[2] ?? {}, { flags: [], modseq: 7 });
  scenario.server.script = ({ verb }, honest) => (verb === 'UID FETCH' ? spoil(honest, /\(UID 3 /, row) : undefined);
  await scenario.sync('--full');
  scenario.server.script = undefined;
  await scenario.sync();
  expect(scenario.differences()).toEqual([]);
  await scenario.expectIdle();
});

it.each([
  ['its flags were told', usualCapabilities],
  ['without MODSEQ what is missing is looked for', ['LIST-STATUS', 'UIDPLUS']],
])('mail that a listing leaves out is found although as many messages were deleted: %s', async (_, capabilities) => {
  const inbox = folder('INBOX', 5);
  const scenario = await startScenario({ folders: [inbox], capabilities });
  await scenario.sync();
  addMessage(inbox, message(6).raw);
  inbox.messages.splice(1, 1);
  scenario.server.script = ({ verb, args }, honest) =>
    verb === 'UID FETCH' && args.startsWith('6:*') ? spoil(honest, /\(UID 6 /, '') : undefined;
  await scenario.sync();
  expect(scenario.differences()).toEqual([]);
  await scenario.expectIdle();
});

it('mail without a body is not gone because the answer of SEARCH could not be read', async () => {
  const inbox = folder('INBOX', 5);
  const scenario = await startScenario({ folders: [inbox] });
  await scenario.sync();
  addMessage(inbox, message(6).raw);
  // So the counts agree without it.
  inbox.messages.splice(1, 1);
  scenario.server.script = ({ verb, args }, honest) => {
    if (verb === 'UID SEARCH') return spoil(honest, /^\* SEARCH/, '* SEARCH 6 (((\r\n');
    return args.includes('BODY.PEEK[]')
      ? { parts: ['* 5 FETCH (UID 6 FLAGS () BODY[] NIL)\r\n', ...honest.slice(-1)] }
      : undefined;
  };
  await scenario.sync();
  scenario.server.script = undefined;
  await scenario.sync();
  expect(scenario.differences()).toEqual([]);
  await scenario.expectIdle();
});

/** Some lines with too many parentheses, some without their end; of the listing's, nothing that would still be one. */
function breakLines(random: () => number, share: number): Script {
  const broken = (line: string): string => {
    if (line.startsWith('* LIST')) return line.replace('()', '(((');
    if (random() < 0.5) return line.replace('\r\n', ' (((\r\n');
    return `${line.slice(0, Math.floor(2 + random() * (line.length - 4)))}\r\n`;
  };
  const isLine = (part: Part): part is string =>
    typeof part === 'string' && part.startsWith('* ') && (part.endsWith('\r\n') || part.startsWith('* LIST'));
  return ({ verb }, honest) =>
    verb === 'LOGIN' || verb === 'CAPABILITY'
      ? undefined
      : { parts: honest.map((part) => (isLine(part) && random() < share ? broken(part) : part)) };
}

/** A message more, one with other flags, perhaps one less: its UID. */
function change(entry: FakeFolder, random: () => number): number | undefined {
  const { messages } = entry;
  addMessage(entry, message(entry.uidNext, entry.path).raw);
  const flagged = messages[Math.floor(random() * messages.length)];
  if (flagged) Object.assign(flagged, { flags: ['\\Seen'], modseq: newestModseq(entry) + 1 });
  return random() < 0.5 ? messages.splice(Math.floor(random() * messages.length), 1)[0]?.uid : undefined;
}

it.each([1, 2, 11, 25, 41, 56, 71, 78])(
  'an eighth of all lines broken (seed %i): nothing that is there is taken for deleted',
  async (seed) => {
    const random = createRandom(seed);
    const folders = [folder('INBOX', 30), folder('Many', 120), folder('Few', 4)];
    const capabilities = seed % 2 === 0 ? usualCapabilities : ['LIST-STATUS', 'UIDPLUS'];
    // One connection: else chance would decide which of them meets which fault.
    const scenario = await startScenario({ folders, capabilities }, { BG_MAX_CONNECTIONS_PER_ACCOUNT: 1 });
    await scenario.sync();
    const deleted = new Set<string>();
    for (let pass = 0; pass < 6; pass += 1) {
      scenario.server.script = breakLines(random, 0.12);
      for (const entry of folders) {
        const uid = change(entry, random);
        if (uid !== undefined) deleted.add(`${entry.path}/${uid}`);
      }
      await (random() < 0.5 ? scenario.sync() : scenario.sync('--full'));
    }
    const gone = scenario.installation.query<{ place: string }>(
      "SELECT path || '/' || uid AS place FROM email_messages JOIN email_folders USING (emfdid) WHERE vanished_at IS NOT NULL",
    );
    expect(gone.map(({ place }) => place).filter((place) => !deleted.has(place))).toEqual([]);
    await scenario.retryQuarantined();
    await scenario.expectTrueCopy();
  },
);
