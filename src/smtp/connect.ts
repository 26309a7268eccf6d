/**
 * Makes a logged-in nodemailer connection: TLS by policy (from the first byte, or STARTTLS that must succeed; plaintext only
 * where it was allowed), and no step of it without an end. nodemailer's own transports are not used: they would read files and
 * URLs, hide which connection a mail is on, and report a lost connection the same before and after the final dot.
 */
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { withDeadline } from '../base/abort.ts';
import { type Credentials, isDelegated, maskCredentials, saslPlain } from '../base/credentials.ts';
import { EngineError } from '../base/errors.ts';
import { isLoopback } from '../base/loopback.ts';
import { boundReplies, mechanismsOf } from './corrections.ts';
import { toSmtpFailure } from './failure.ts';
import type { SmtpOptions } from './session.ts';

/** An honest reply is a few lines; 64 KiB is what a server with many extensions never reaches. */
const responseBytesMax = 64 * 1024;
/** nodemailer's own clock must never be first: ours know what they wait for. */
const slackMs = 60_000;
/** After our FIN the server has this long to close its side. */
const closeMs = 2000;

/** `onBodyEnd`: the final dot has been handed to the socket. */
export async function connectSmtp(options: SmtpOptions, onBodyEnd: () => void): Promise<SMTPConnection> {
  refusePlaintext(options);
  const where = `${options.host}:${options.port}`;
  const connection = new SMTPConnection(connectionOptions(options, onBodyEnd));
  boundReplies(connection);
  // Without a listener a broken socket would end the process; what is under way learns of it by itself.
  connection.on('error', () => undefined);
  try {
    await step(options, connection, `connect to ${where}`, 3 * options.timeouts.commandMs, (done) => {
      connection.connect(done);
    });
    const mechanisms = mechanismsOf(connection);
    if (mechanisms !== null) await login(options, connection, mechanisms);
    return connection;
  } catch (error) {
    connection.close();
    if (options.security !== 'tls' && isSilence(error)) throw new EngineError('timeout', silenceText(where));
    throw toSmtpFailure(error, `smtp ${where}`, (text) => maskCredentials(text, options.credentials));
  }
}

/** nodemailer's words for a connection on which nothing came. */
const isSilence = (error: unknown): boolean => error instanceof Error && error.message === 'Greeting never received';

/** Where TLS begins with the first byte, both sides wait for the other one. */
const silenceText = (where: string): string =>
  `smtp ${where}: no greeting came; where TLS is spoken from the first byte (port 465), the address is smtps://`;

/** A stored account may say `none` for a host that is no longer this machine. */
function refusePlaintext({ security, host, allowPlaintext }: SmtpOptions): void {
  if (security !== 'none' || allowPlaintext || isLoopback(host)) return;
  throw new EngineError('tls_unavailable', `smtp ${host}: plaintext was not allowed (account set --allow-plaintext)`);
}

function connectionOptions(
  options: SmtpOptions,
  onBodyEnd: () => void,
): ConstructorParameters<typeof SMTPConnection>[0] {
  const { commandMs, finalReplyMs } = options.timeouts;
  return {
    host: options.host,
    port: options.port,
    secure: options.security === 'tls',
    requireTLS: options.security === 'starttls',
    ignoreTLS: options.security === 'none',
    tls: { minVersion: 'TLSv1.2' },
    connectionTimeout: commandMs,
    greetingTimeout: commandMs,
    dnsTimeout: commandMs,
    socketTimeout: finalReplyMs + slackMs,
    socketCloseTimeout: closeMs,
    maxResponseSize: responseBytesMax,
    logger: bodyEndLogger(onBodyEnd),
    customAuth: { [tokenMethod]: authXoauth2, ...(isDelegated(options.credentials) ? { PLAIN: authPlain } : {}) },
  };
}

/** nodemailer writes one line when the final dot has gone to the socket: the only sign of it there is (10.6, smtp-connection:1437). */
function bodyEndLogger(onBodyEnd: () => void) {
  const ignore = (): void => undefined;
  const info = (entry: unknown): void => {
    if (typeof entry === 'object' && entry !== null && 'tnx' in entry && entry.tnx === 'message') onBodyEnd();
  };
  return { level: ignore, trace: ignore, debug: ignore, info, warn: ignore, error: ignore, fatal: ignore };
}

/** Under its own name nodemailer would prefer PLAIN, with no password, wherever that is offered. */
const tokenMethod = 'XOAUTH2-TOKEN';

const passwordMechanisms = ['PLAIN', 'LOGIN', 'CRAM-MD5'];

/** PLAIN, LOGIN or CRAM-MD5, as the server offers; a token always by XOAUTH2. */
async function login(options: SmtpOptions, connection: SMTPConnection, offered: readonly string[]): Promise<void> {
  const { credentials, timeouts, host, port } = options;
  const where = `${host}:${port}`;
  // The library would show it the password by PLAIN.
  if (credentials.kind === 'password' && !passwordMechanisms.some((mechanism) => offered.includes(mechanism)))
    throw new EngineError('auth_unsupported', `smtp ${where}: ${offerOf(offered)}; PLAIN, LOGIN or CRAM-MD5 is needed`);
  await step(options, connection, `login as ${credentials.user} at ${where}`, 2 * timeouts.commandMs, (done) => {
    connection.login(authOf(credentials), done);
  });
}

const offerOf = (offered: readonly string[]): string =>
  `the server offers ${offered.join(' ').slice(0, 200) || 'no mechanism'}`;

/** A password with an authzid must go out as PLAIN: every other way would leave the authzid out. */
function authOf(credentials: Credentials) {
  const { user } = credentials;
  if (credentials.kind === 'token')
    return { user, method: tokenMethod, options: { accessToken: credentials.accessToken } };
  const { password: pass, authzid } = credentials;
  return authzid === undefined ? { user, pass } : { user, pass, method: 'PLAIN', options: { authzid } };
}

type AuthContext = Parameters<
  NonNullable<NonNullable<ConstructorParameters<typeof SMTPConnection>[0]>['customAuth']>[string]
>[0];

/** RFC 4616: whose mailbox is meant stands before whose password it is. */
async function authPlain(context: AuthContext): Promise<void> {
  const { auth, authMethods } = context;
  if (!authMethods.includes('PLAIN')) return context.reject('unsupported: the server does not offer PLAIN');
  const { user = '', pass: password = '', options } = auth;
  const answer = saslPlain({ kind: 'password', user, password, authzid: String(options?.authzid ?? '') });
  const { status } = await context.sendCommand(`AUTH PLAIN ${answer}`);
  if (status >= 200 && status < 300) context.resolve();
  else context.reject('Invalid login');
}

/** A refused token is answered with 334 and an explanation; an empty line asks for the verdict. */
async function authXoauth2(context: AuthContext): Promise<void> {
  const { auth } = context;
  const token = String(auth.options?.accessToken ?? '');
  const initial = Buffer.from(`user=${auth.user ?? ''}\u0001auth=Bearer ${token}\u0001\u0001`).toString('base64');
  const first = await context.sendCommand(`AUTH XOAUTH2 ${initial}`);
  const last = first.status === 334 ? await context.sendCommand('') : first;
  if (last.status >= 200 && last.status < 300) context.resolve();
  else context.reject('Invalid login');
}

/** One thing that nodemailer answers by callback, unless the connection or the time ends before. */
async function step(
  { signal }: SmtpOptions,
  connection: SMTPConnection,
  what: string,
  ms: number,
  start: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  let stopListening: () => void = () => undefined;
  const work = new Promise<void>((resolve, reject) => {
    const onEnd = (): void => reject(new EngineError('connection_lost', what));
    connection.once('error', reject).once('end', onEnd);
    stopListening = () => void connection.off('error', reject).off('end', onEnd);
    start((error) => (error ? reject(error) : resolve()));
  });
  try {
    await withDeadline(work, { ms, onExpire: () => connection.close(), signal, what });
  } finally {
    stopListening();
  }
}
