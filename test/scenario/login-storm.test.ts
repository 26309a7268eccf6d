/** A server that asks for the login again and again is not answered for ever. */
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createLink } from '../../src/imap/link.ts';
import { openSession } from '../../src/imap/open-session.ts';

it('a server that answers the login with continuations without end is given up at once', async () => {
  let sent = '';
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n');
    socket.on('data', (data) => {
      sent += data.toString('latin1');
      if (data.includes('AUTHENTICATE')) socket.write('+ go on\r\n'.repeat(1000));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.address();
  const opening = openSession({
    host: '127.0.0.1',
    port: typeof address === 'object' && address ? address.port : 0,
    security: 'none',
    credentials: { kind: 'password', user: 'anna', password: 'canary-password' },
    link: createLink(),
    wireNames: new Map(),
    literalBytesMax: 1024 * 1024,
    room: null,
    commandTimeoutMs: 5000,
    transferTimeoutMsPerMib: 5000,
    signal: new AbortController().signal,
    onWarning: () => undefined,
  });
  await expect(opening).rejects.toMatchObject({ code: 'protocol_violation', detail: expect.stringContaining('again') });
  expect(sent.split('\r\n').length).toBeLessThan(20);
});
