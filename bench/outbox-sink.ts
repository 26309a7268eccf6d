/** A mail server that takes everything at once and keeps nothing: the far side of the outbox bench. Reports by IPC. */
import { createServer, type Socket } from 'node:net';

const latenciesMs: number[] = [];
let count = 0;

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.write('220 sink ESMTP\r\n');
  serve(socket);
});

const ehlo = ['sink', 'PIPELINING', '8BITMIME', 'SIZE 50000000', 'SMTPUTF8'];
const ehloReply = ehlo.map((name, at) => `250${at === ehlo.length - 1 ? ' ' : '-'}${name}\r\n`).join('');

function serve(socket: Socket): void {
  let input = '';
  let inBody = false;
  socket.on('data', (data) => {
    input += data.toString('latin1');
    let out = '';
    for (;;) {
      const end = input.indexOf(inBody ? '\r\n.\r\n' : '\r\n');
      if (end < 0) break;
      const text = input.slice(0, end);
      input = input.slice(end + (inBody ? 5 : 2));
      if (inBody) note(text);
      out += inBody ? '250 queued\r\n' : replyTo(text);
      inBody = !inBody && text === 'DATA';
    }
    if (out !== '') socket.write(out);
  });
}

function replyTo(line: string): string {
  if (line.startsWith('EHLO')) return ehloReply;
  if (line === 'DATA') return '354 go\r\n';
  return line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n';
}

function note(mail: string): void {
  count += 1;
  const insertedAt = /^X-Inserted-At: ([\d.]+)/m.exec(mail)?.[1];
  if (insertedAt !== undefined) latenciesMs.push(performance.timeOrigin + performance.now() - Number(insertedAt));
}

process.on('message', () => process.send?.({ count, latenciesMs }));
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 });
});
