/**
 * A token endpoint on 127.0.0.1 that rotates strictly: each refresh token serves once, a second use ends the grant, as a provider
 * does that takes it for theft. A script may answer instead.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

export interface TokenRequest {
  readonly form: Readonly<Record<string, string>>;
  /** 1, 2, 3 … */
  readonly count: number;
}

export interface FakeTokenEndpoint {
  readonly url: string;
  readonly requests: TokenRequest[];
  /** Requests that were answered while another was under way. */
  overlapCount: number;
  /** The refresh token that is good now; null: the grant has ended. */
  goodRefreshToken: string | null;
  /** Access tokens that were handed out. */
  readonly issued: string[];
  expiresIn: number | undefined;
  rotates: boolean;
  /** Answers instead; 'honest': leaves it to the honest answer. */
  script: ((request: TokenRequest, response: ServerResponse) => unknown) | undefined;
  stop(): Promise<void>;
}

export async function startTokenEndpoint(): Promise<FakeTokenEndpoint> {
  let underWay = 0;
  const endpoint: FakeTokenEndpoint = {
    url: '',
    requests: [],
    overlapCount: 0,
    goodRefreshToken: 'refresh-1',
    issued: [],
    expiresIn: 3600,
    rotates: true,
    script: undefined,
    stop: () => stop(server),
  };
  const server = createServer((request, response) => {
    underWay += 1;
    if (underWay > 1) endpoint.overlapCount += 1;
    response.once('close', () => {
      underWay -= 1;
    });
    void answer(endpoint, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return Object.assign(endpoint, {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/token`,
  });
}

async function answer(endpoint: FakeTokenEndpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = Object.fromEntries(new URLSearchParams(await text(request)));
  const asked = { form, count: endpoint.requests.length + 1 };
  endpoint.requests.push(asked);
  const { script } = endpoint;
  if (!script || (await script(asked, response)) === 'honest') honest(endpoint, form, response);
}

function honest(endpoint: FakeTokenEndpoint, form: Record<string, string>, response: ServerResponse): void {
  if (form.grant_type === 'refresh_token' && form.refresh_token !== endpoint.goodRefreshToken) {
    endpoint.goodRefreshToken = null;
    sendJson(response, 400, { error: 'invalid_grant', error_description: 'Token has been used or revoked.' });
    return;
  }
  const number = endpoint.issued.length + 1;
  endpoint.issued.push(`access-${number}`);
  const rotated = endpoint.rotates && form.grant_type === 'refresh_token' ? `refresh-${number + 1}` : undefined;
  endpoint.goodRefreshToken = rotated ?? endpoint.goodRefreshToken;
  sendJson(response, 200, {
    access_token: `access-${number}`,
    token_type: 'Bearer',
    expires_in: endpoint.expiresIn,
    refresh_token: rotated,
  });
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
