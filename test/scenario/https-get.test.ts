/** Settings over HTTPS from a server that has time. */
import { lookup } from 'node:dns';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpsGet } from '../../src/discovery/https-get.ts';
import { createTestCa, hasOpenssl } from '../support/test-ca.ts';

it.runIf(hasOpenssl())(
  'a server that drips its answer is given up in time, also after a garbage collection',
  async () => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    const files = createTestCa(['autoconfig.example.com']);
    const server = createServer({ key: readFileSync(files.key), cert: readFileSync(files.cert) }, (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => {
        response.write(' ');
        if (typeof collect === 'function') collect();
      }, 50);
      response.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
      files.remove();
    });
    const address = server.address();
    const get = createHttpsGet({
      port: typeof address === 'object' && address ? address.port : 0,
      lookup: (_host, options, callback) => lookup('127.0.0.1', options, callback),
      ca: readFileSync(files.ca),
      ms: 500,
    });
    const url = 'https://autoconfig.example.com/mail/config-v1.1.xml';
    await expect(get(url, new AbortController().signal)).rejects.toMatchObject({ code: 'timeout' });
  },
);
