/** A real IMAP server of a test's own, whichever it is: 127.0.0.1, a free port, any user with the password `pw`. */
import type { ImapClient, ListedFolder } from './imap-client.ts';

export interface InteropServer {
  readonly name: string;
  readonly port: number;
  client(user: string): Promise<ImapClient>;
  listing(user: string): Promise<ListedFolder[]>;
  /** What stands before the name of every folder but INBOX. */
  readonly prefix: string;
  readonly delimiter: string;
  /** Keywords beside the system flags. */
  readonly hasKeywords: boolean;
  /** Otherwise nothing tells a renamed folder from a new one. */
  readonly keepsUidValidityOnRename: boolean;
  /** The same mail under another UIDVALIDITY; null: this server has no way to it. */
  readonly changeUidValidity: ((user: string, path: string) => Promise<void>) | null;
  stop(): Promise<void>;
}

/**
 * The whole account as the tests' own client sees it. Dovecot lists a deleted folder that has others below it, without
 * \NonExistent: it is not there.
 */
export async function listAll(client: (user: string) => Promise<ImapClient>, user: string): Promise<ListedFolder[]> {
  const imap = await client(user);
  const folders: ListedFolder[] = [];
  for (const path of await imap.paths()) {
    try {
      folders.push(await imap.listFolder(path));
    } catch (error) {
      if (!/^Error: EXAMINE .* NO Mailbox doesn't exist/.test(String(error))) throw error;
    }
  }
  await imap.close();
  return folders;
}
