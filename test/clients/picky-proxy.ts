/**
 * A proxy before the server that takes only small requests (as nginx does, which knows 1 MiB by
 * default), and is too busy now and then. Its callers are told apart by the first part of the path.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface PickyProxy {
  url: string;
  /** Resolves when this caller's token was refused. */
  refused(caller: string): Promise<void>;
  stop(): void;
}

export async function startPickyProxy(target: string, mostBytes: number): Promise<PickyProxy> {
  const refusals = new Map<string, PromiseWithResolvers<void>>();
  const refusalOf = (caller: string) => {
    const known = refusals.get(caller) ?? Promise.withResolvers<void>();
    refusals.set(caller, known);
    return known;
  };
  const busy = new Set<string>();
  const server = createServer((incoming, response) => {
    void bodyOf(incoming).then((body) => {
      const [, caller = '', ...path] = (incoming.url ?? '').split('/');
      if (body.length > mostBytes) {
        response.writeHead(413, { 'content-type': 'text/html' }).end('<h1>Too large</h1>');
        return;
      }
      const { host: _, ...headers } = incoming.headers;
      const options = { method: incoming.method, headers };
      const onward = request(`${target}/${path.join('/')}`, options, (answer) => {
        const isRefused = answer.statusCode === 401;
        if (isRefused) refusalOf(caller).resolve();
        if (!isRefused && !busy.has(caller)) {
          // What was taken all the same will be sent again.
          busy.add(caller);
          answer.resume();
          response.writeHead(429, { 'retry-after': '1' }).end();
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      onward.end(body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused: (caller) => refusalOf(caller).promise,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
