/**
 * Hoodiecrow: an IMAP server in JavaScript, made for testing clients. CONDSTORE without HIGHESTMODSEQ in STATUS, the same
 * UIDVALIDITY for every folder, nothing but IMAP4rev1 else.
 */
import type { Server } from 'node:net';
import { freePort } from './dovecot.ts';
import { connectImap, type ImapClient } from './imap-client.ts';
import { type InteropServer, listAll } from './interop-server.ts';
import { installPackage } from './npm-packages.ts';

type CreateServer = (options: object) => Pick<Server, 'listen' | 'close'>;

export async function startHoodiecrow(): Promise<InteropServer> {
  const createServer = installPackage('hoodiecrow-imap', '2.1.0')('hoodiecrow-imap') as CreateServer;
  const port = await freePort();
  const server = createServer({
    plugins: ['ID', 'ENABLE', 'CONDSTORE', 'LITERALPLUS', 'UNSELECT', 'NAMESPACE'],
    users: { anna: { password: 'pw' } },
    storage: { INBOX: {}, '': { separator: '/', folders: {} } },
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const client = (user: string): Promise<ImapClient> => connectImap(port, user, 'pw');
  return {
    name: 'Hoodiecrow',
    port,
    client,
    listing: (user) => listAll(client, user),
    prefix: '',
    delimiter: '/',
    hasKeywords: true,
    keepsUidValidityOnRename: true,
    changeUidValidity: null,
    // Its close waits for connections that are still open.
    stop: async () => void server.close(),
  };
}
