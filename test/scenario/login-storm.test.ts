/** A server that asks for the login again and again is not answered for ever. */
import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openSession } from '../../src/imap/open-session.ts';
import { sessionOptions } from '../support/one-session.ts';

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
  const opening = openSession(sessionOptions(typeof address === 'object' && address ? address.port : 0));
  await expect(opening).rejects.toMatchObject({ code: 'protocol_violation', detail: expect.stringContaining('again') });
  expect(sent.split('\r\n').length).toBeLessThan(20);
});
