/**
 * A way to a real server that breaks down on demand: what a network or an overloaded proxy does to
 * single requests, which no real server does at a wish.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * `pass`; `reset`: nothing arrives, the connection is reset; `cut`: it arrives and is stored, and
 * the answer does not come back; a number: answered with that status, nothing arrives.
 */
export type Fault = 'pass' | 'reset' | 'cut' | number;

export interface Tap extends AsyncDisposable {
  url: string;
  port: number;
  /** Of requests that matter, how often each fault met one. */
  met: Map<Fault, number>;
}

export interface TapOptions {
  /** Where the server is now. */
  target: () => string;
  /** Faults of the requests that `matters` selects, in turn; all others pass. */
  faults: readonly Fault[];
  matters?: (request: IncomingMessage) => boolean;
  /** Before the request that meets the last fault is passed on. */
  meanwhile?: (count: number) => Promise<void>;
}

export async function openTap(options: TapOptions): Promise<Tap> {
  const { target, faults, matters = isBulk, meanwhile } = options;
  const met = new Map<Fault, number>();
  let count = 0;
  const server = createServer(async (request, response) => {
    const counts = matters(request);
    const fault = counts ? (faults[count] ?? 'pass') : 'pass';
    if (counts) count++;
    met.set(fault, (met.get(fault) ?? 0) + 1);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    if (counts) await meanwhile?.(count);
    if (typeof fault === 'number') {
      response.writeHead(fault, {
        'content-type': 'application/json',
        'retry-after': '1',
        'x-elastic-product': 'Elasticsearch',
      });
      response.end('{"error":{"type":"x","reason":"y"},"status":503}');
      return;
    }
    if (fault === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    pass(target(), request, Buffer.concat(chunks), response, fault === 'cut');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    met,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function isBulk({ url = '' }: IncomingMessage): boolean {
  return url.includes('_bulk');
}

function pass(
  target: string,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
  cut: boolean,
): void {
  const { 'transfer-encoding': _, expect: __, ...headers } = request.headers;
  const onward = httpRequest(target + (request.url ?? ''), {
    method: request.method ?? 'GET',
    headers: { ...headers, 'content-length': body.length },
    agent: false,
  });
  onward.on('error', () => request.socket.resetAndDestroy());
  onward.on('response', (answer) => {
    if (cut) {
      answer.resume();
      answer.on('end', () => request.socket.destroy());
      return;
    }
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  onward.end(body);
}
