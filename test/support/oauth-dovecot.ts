/** A Dovecot that takes OAuth tokens by asking an introspection endpoint of the test (RFC 7662), and lets `boss` open any mailbox. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { sendJson } from './fake-token-endpoint.ts';

export interface OauthDovecot {
  readonly dovecot: Dovecot;
  /** token → whose it is */
  readonly valid: Map<string, string>;
  stop(): Promise<void>;
}

/** `mechanisms` as Dovecot names them, for instance `plain xoauth2`. */
export async function startOauthDovecot(mechanisms: string, extra = ''): Promise<OauthDovecot> {
  const valid = new Map<string, string>();
  const server = createServer((request, response) => void introspect(valid, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const folder = mkdtempSync(join(tmpdir(), 'backproc-oauth-'));
  writeFileSync(join(folder, 'oauth2.conf'), introspection(port), { mode: 0o644 });
  const dovecot = await startDovecot({ extra: `${passdbs(mechanisms, folder)}\n${extra}` });
  return {
    dovecot,
    valid,
    async stop() {
      await dovecot.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

async function introspect(
  valid: ReadonlyMap<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const username = valid.get(new URLSearchParams(await text(request)).get('token') ?? '');
  sendJson(response, 200, username === undefined ? { active: false } : { active: true, username });
}

const introspection = (port: number): string => `
introspection_mode = post
introspection_url = http://127.0.0.1:${port}/introspect
username_attribute = username
active_attribute = active
active_value = true
`;

const passdbs = (mechanisms: string, folder: string): string => `
auth_mechanisms = ${mechanisms}
auth_cache_size = 0
auth_failure_delay = 0
service anvil {
  # Whoever fails to log in is made to wait longer each time; here all do so on purpose.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${folder}/oauth2.conf
}
passdb {
  driver = static
  args = user=boss password=boss-pw
  master = yes
}
`;
