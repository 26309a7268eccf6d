/**
 * IMAP servers that speak on standard input and output, already logged in, behind a port with a login of its own: LOGIN and
 * AUTHENTICATE PLAIN are answered here, everything after goes to a process for each connection, byte by byte.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createServer, type Socket } from 'node:net';

export interface PreauthOptions {
  readonly port: number;
  readonly capabilities: string;
  /** The process that serves `user`. */
  readonly command: (user: string) => { file: string; args: string[]; cwd: string; env: Record<string, string> };
}

export interface PreauthFront {
  stop(): Promise<void>;
}

export async function startPreauthFront(options: PreauthOptions): Promise<PreauthFront> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    greet(socket, options);
  });
  await new Promise<void>((resolve) => server.listen(options.port, '127.0.0.1', resolve));
  return {
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function greet(socket: Socket, options: PreauthOptions): void {
  socket.setNoDelay(true).write(`* OK [CAPABILITY ${options.capabilities}] ready\r\n`);
  let text = '';
  const onData = (data: Buffer): void => {
    text += data.toString('latin1');
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      const login = loginOf(line);
      if (login?.password !== 'pw') {
        answer(socket, options, line);
        continue;
      }
      socket.off('data', onData);
      bridge(socket, options, login.user, `${login.tag} OK [CAPABILITY ${options.capabilities}] logged in\r\n`, text);
      return;
    }
  };
  socket.on('data', onData);
}

function answer(socket: Socket, { capabilities }: PreauthOptions, line: string): void {
  const [tag = '*', verb = ''] = line.split(' ');
  if (/^CAPABILITY$/i.test(verb)) socket.write(`* CAPABILITY ${capabilities}\r\n${tag} OK done\r\n`);
  else if (/^LOGOUT$/i.test(verb)) socket.end(`* BYE\r\n${tag} OK done\r\n`);
  else socket.write(`${tag} NO [AUTHENTICATIONFAILED] Login failed.\r\n`);
}

function loginOf(line: string): { tag: string; user: string; password: string } | null {
  const login = /^(\S+) LOGIN "?([^" ]+)"? "?([^" ]+)"?$/i.exec(line);
  if (login) return { tag: login[1] ?? '', user: login[2] ?? '', password: login[3] ?? '' };
  const plain = /^(\S+) AUTHENTICATE PLAIN (\S+)$/i.exec(line);
  if (!plain) return null;
  const [, user = '', password = ''] = Buffer.from(plain[2] ?? '', 'base64')
    .toString()
    .split('\0');
  return { tag: plain[1] ?? '', user, password };
}

/** The process greets with PREAUTH: that line becomes the answer to the login. */
function bridge(socket: Socket, options: PreauthOptions, user: string, loggedIn: string, first: string): void {
  const { file, args, cwd, env } = options.command(user);
  const child: ChildProcessWithoutNullStreams = spawn(file, args, { cwd, env: { ...process.env, ...env } });
  let greeting = '';
  const onGreeting = (data: Buffer): void => {
    greeting += data.toString('latin1');
    const end = /\* PREAUTH[^\r]*\r\n/.exec(greeting);
    if (!end) return;
    child.stdout.off('data', onGreeting);
    socket.write(loggedIn + greeting.slice(end.index + end[0].length), 'latin1');
    child.stdout.pipe(socket);
    child.stdin.write(first, 'latin1');
    socket.pipe(child.stdin);
  };
  child.stdout.on('data', onGreeting);
  child.stderr.resume();
  child.stdin.on('error', () => socket.destroy());
  child.on('error', () => socket.destroy());
  socket.on('close', () => child.kill());
}
