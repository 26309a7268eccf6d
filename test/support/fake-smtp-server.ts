/**
 * An SMTP server that is scripted step by step: honest unless the script answers otherwise, cuts, or says nothing. What it took
 * over (answered 250 to the final dot, or kept although the reply was lost) stands in `sink`, one row a recipient.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';

export type SmtpVerb =
  | 'CONNECT'
  | 'EHLO'
  | 'HELO'
  | 'STARTTLS'
  | 'AUTH'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  /** The first bytes of a body have come. */
  | 'BODY'
  /** The final dot has come. */
  | 'DOT'
  | 'RSET'
  | 'QUIT'
  | 'OTHER';

export interface SmtpStep {
  readonly verb: SmtpVerb;
  readonly line: string;
  /** Number of the connection, from 1. */
  readonly connection: number;
  /** Number of the message on this server, from 1; 0 outside of a transaction. */
  readonly transaction: number;
  /** Of RCPT. */
  readonly address: string;
}

export interface SmtpAction {
  /** Instead of the honest reply; several lines are joined with CRLF by the script itself. */
  readonly reply?: string;
  /** After the reply. */
  readonly ending?: 'close' | 'reset';
  /** No reply at all, and nothing read any more. */
  readonly isSilent?: boolean;
  /** DOT: keep the message although it is not answered with 250, or drop it although it is. */
  readonly keeps?: boolean;
}

export type SmtpScript = (step: SmtpStep) => SmtpAction | undefined | Promise<SmtpAction | undefined>;

export interface Delivered {
  readonly messageIdHeader: string;
  readonly from: string;
  readonly recipient: string;
  readonly raw: Buffer;
  readonly sha256: string;
  readonly atMs: number;
}

export interface FakeSmtpOptions {
  readonly extensions?: readonly string[];
  readonly script?: SmtpScript | undefined;
  /** `tls`: from the first byte; `starttls`: offered. */
  readonly security?: 'tls' | 'starttls' | 'none';
  readonly key?: string;
  readonly cert?: string;
}

export interface FakeSmtpServer {
  readonly port: number;
  script: SmtpScript | undefined;
  readonly sink: Delivered[];
  /** Called when a message has been taken over: a provider that files a Sent copy itself. */
  onDelivered: ((raw: Buffer) => void) | undefined;
  /** `connection verb rest`, as it came. */
  readonly commands: string[];
  connectionCount: number;
  openCount: number;
  openCountMax: number;
  stop(): Promise<void>;
}

export const usualExtensions = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 50000000', 'AUTH PLAIN LOGIN XOAUTH2'];

export async function startFakeSmtp(options: FakeSmtpOptions = {}): Promise<FakeSmtpServer> {
  const sockets = new Set<Socket>();
  const { key, cert } = options;
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    fake.connectionCount += 1;
    fake.openCount += 1;
    fake.openCountMax = Math.max(fake.openCountMax, fake.openCount);
    socket.on('close', () => {
      sockets.delete(socket);
      fake.openCount -= 1;
    });
    serve(socket, fake, options, fake.connectionCount);
  };
  const server: Server =
    options.security === 'tls' && key !== undefined && cert !== undefined
      ? createTlsServer({ key, cert }, accept)
      : createServer(accept);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const fake: FakeSmtpServer = {
    port: typeof address === 'object' && address ? address.port : 0,
    script: options.script,
    sink: [],
    onDelivered: undefined,
    commands: [],
    connectionCount: 0,
    openCount: 0,
    openCountMax: 0,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

interface Session {
  socket: Socket;
  readonly connection: number;
  from: string;
  recipients: string[];
  mode: 'command' | 'body' | 'answer' | 'dead';
  body: Buffer[];
  tail: Buffer;
  transaction: number;
  input: Buffer;
}

let transactionCount = 0;

function serve(first: Socket, fake: FakeSmtpServer, options: FakeSmtpOptions, connection: number): void {
  const session: Session = {
    socket: first,
    connection,
    from: '',
    recipients: [],
    mode: 'command',
    body: [],
    tail: Buffer.alloc(0),
    transaction: 0,
    input: Buffer.alloc(0),
  };
  const extensions = options.extensions ?? usualExtensions;

  const act = async (
    verb: SmtpVerb,
    line: string,
    honest: string,
    address = '',
  ): Promise<SmtpAction & { sent: string }> => {
    const step: SmtpStep = { verb, line, connection, transaction: session.transaction, address };
    const action = (await fake.script?.(step)) ?? {};
    if (action.isSilent) {
      session.mode = 'dead';
      session.socket.pause();
    }
    const sent = action.isSilent ? '' : (action.reply ?? honest);
    if (sent !== '' && !session.socket.destroyed) session.socket.write(`${sent}\r\n`);
    if (action.ending === 'reset') session.socket.resetAndDestroy();
    if (action.ending === 'close') session.socket.end();
    if (action.ending) session.mode = 'dead';
    return { ...action, sent };
  };

  const command = async (line: string): Promise<void> => {
    fake.commands.push(`${connection} ${line}`);
    const word = (/^[A-Za-z]+/.exec(line)?.[0] ?? '').toUpperCase();
    switch (word) {
      case 'EHLO': {
        const lines = [
          'fake',
          ...extensions,
          ...(options.security === 'starttls' && !isTls(session) ? ['STARTTLS'] : []),
        ];
        await act(
          'EHLO',
          line,
          lines.map((text, at) => `250${at === lines.length - 1 ? ' ' : '-'}${text}`).join('\r\n'),
        );
        return;
      }
      case 'STARTTLS': {
        const { sent } = await act('STARTTLS', line, options.security === 'starttls' ? '220 go' : '502 no');
        if (sent.startsWith('220')) await upgrade();
        return;
      }
      case 'AUTH':
        return auth(line);
      case 'MAIL': {
        transactionCount += 1;
        session.transaction = transactionCount;
        const { sent } = await act('MAIL', line, '250 2.1.0 ok');
        if (sent.startsWith('2')) Object.assign(session, { from: addressIn(line), recipients: [] });
        return;
      }
      case 'RCPT': {
        const address = addressIn(line);
        const { sent } = await act('RCPT', line, '250 2.1.5 ok', address);
        if (sent.startsWith('2')) session.recipients.push(address);
        return;
      }
      case 'DATA': {
        const { sent } = await act(
          'DATA',
          line,
          session.recipients.length === 0 ? '554 no valid recipients' : '354 go',
        );
        if (sent.startsWith('354')) Object.assign(session, { mode: 'body', body: [] });
        return;
      }
      case 'RSET':
        Object.assign(session, { recipients: [], transaction: 0 });
        return void (await act('RSET', line, '250 ok'));
      case 'QUIT':
        await act('QUIT', line, '221 bye');
        return void session.socket.end();
      default:
        return void (await act(word === 'HELO' ? 'HELO' : 'OTHER', line, word === 'HELO' ? '250 fake' : '500 what'));
    }
  };

  /** PLAIN in one line, LOGIN in three, XOAUTH2 in one; whatever is said is right unless the script says otherwise. */
  const auth = async (line: string): Promise<void> => {
    if (/^AUTH LOGIN$/i.test(line)) {
      session.socket.write('334 VXNlcm5hbWU6\r\n');
      session.mode = 'answer';
      return;
    }
    await act('AUTH', line, '235 2.7.0 ok');
  };
  let answers = 0;
  const answer = async (line: string): Promise<void> => {
    answers += 1;
    if (answers % 2 === 1) return void session.socket.write('334 UGFzc3dvcmQ6\r\n');
    session.mode = 'command';
    await act('AUTH', line, '235 2.7.0 ok');
  };

  /** A reply in the middle of a body ends it. */
  const begin = async (): Promise<void> => {
    const { sent } = await act('BODY', '', '');
    if (sent !== '' && session.mode === 'body') session.mode = 'command';
  };
  const finish = async (): Promise<void> => {
    const raw = unstuff(Buffer.concat(session.body));
    const { recipients, from } = session;
    session.mode = 'command';
    const { sent, keeps, isSilent, ending } = await act('DOT', '.', `250 2.0.0 queued as T${session.transaction}`);
    if (isSilent === true || ending !== undefined) session.mode = 'dead';
    if (keeps ?? sent.startsWith('250')) {
      fake.sink.push(...deliveries(raw, from, recipients));
      fake.onDelivered?.(raw);
    }
    session.transaction = 0;
  };

  const upgrade = async (): Promise<void> => {
    const { key = '', cert = '' } = options;
    session.socket.removeAllListeners('data');
    const secure = new TLSSocket(session.socket, { isServer: true, key, cert });
    secure.on('error', () => secure.destroy());
    session.socket = secure;
    secure.on('data', push);
  };

  let working = false;
  const pump = async (): Promise<void> => {
    if (working) return;
    working = true;
    while (await stepOnce(session, { command, answer, finish, begin }));
    working = false;
  };
  function push(data: Buffer): void {
    session.input = Buffer.concat([session.input, data]);
    void pump();
  }
  // A client that was cut, or that cuts, is what many scenarios are about.
  first.on('error', () => first.destroy());
  first.on('data', push);
  first.setNoDelay(true);
  working = true;
  void act('CONNECT', '', '220 fake ESMTP').then(() => {
    working = false;
    return pump();
  });
}

const isTls = ({ socket }: Session): boolean => socket instanceof TLSSocket;

interface Steps {
  command(line: string): Promise<void>;
  answer(line: string): Promise<void>;
  begin(): Promise<unknown>;
  finish(): Promise<void>;
}

/** False: more input is needed, or nothing more is to be done. */
async function stepOnce(session: Session, steps: Steps): Promise<boolean> {
  if (session.mode === 'dead') return false;
  if (session.mode === 'body') return readBody(session, steps);
  const end = session.input.indexOf('\r\n');
  if (end < 0) return false;
  const line = session.input.toString('utf8', 0, end);
  session.input = session.input.subarray(end + 2);
  await (session.mode === 'answer' ? steps.answer(line) : steps.command(line));
  return true;
}

/** A line end stands before the first piece, so that an empty body ends as well. */
async function readBody(session: Session, steps: Steps): Promise<boolean> {
  if (session.input.length === 0) return false;
  if (session.body.length === 0) {
    session.body.push(Buffer.from('\r\n'));
    session.tail = Buffer.from('\r\n');
    await steps.begin();
    // The script may have cut, said no, or fallen silent.
    if (session.mode !== 'body') return session.mode === 'command';
  }
  const seam = Buffer.concat([session.tail, session.input]);
  const end = seam.indexOf('\r\n.\r\n');
  const before = session.body.reduce((sum, piece) => sum + piece.length, 0) - session.tail.length;
  session.body.push(session.input);
  session.input = Buffer.alloc(0);
  session.tail = seam.subarray(-4);
  if (end < 0) return false;
  const whole = Buffer.concat(session.body);
  session.body = [whole.subarray(2, before + end + 2)];
  session.input = whole.subarray(before + end + 5);
  await steps.finish();
  return true;
}

const addressIn = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? '';

/** RFC 5321 4.5.2. */
const unstuff = (body: Buffer): Buffer => Buffer.from(body.toString('latin1').replace(/^\./gm, ''), 'latin1');

function deliveries(raw: Buffer, from: string, recipients: readonly string[]): Delivered[] {
  const sha256 = createHash('sha256').update(raw).digest('hex');
  const messageIdHeader = /^message-id:\s*(<[^>]*>)/im.exec(raw.toString('latin1'))?.[1] ?? '';
  return recipients.map((recipient) => ({ messageIdHeader, from, recipient, raw, sha256, atMs: performance.now() }));
}
