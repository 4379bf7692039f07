/**
 * A way to a real server that breaks down on demand: what a network or an overloaded proxy does to
 * single requests, which no real server does at a wish.
 */
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * `pass`; `reset`: nothing arrives, the connection is reset; `closed`: nothing arrives, the connection
 * is closed; `cut`: it arrives and is stored, and the answer does not come back; `busy`: it is refused as a server refuses it that is stopping;
 * `away`: for a while connections are refused; `killed`: the server dies with the request in it.
 */
export type Fault = 'pass' | 'reset' | 'closed' | 'cut' | 'busy' | 'away' | 'killed';

const AWAY_MS = 300;

export interface Tap extends AsyncDisposable {
  url: string;
  port: number;
  /** Of requests that matter, how often each fault met one. */
  met: Map<Fault, number>;
}

export interface TapOptions {
  /** Where the server is now. A request waits until there is one. */
  target: () => Promise<string>;
  /** Of a server that refuses. */
  busy: string;
  /** Resolves to the address of the server that is about to die. */
  killed: () => Promise<string>;
  /** What becomes of requests that carry lines, in turn; all others pass. */
  faults: readonly Fault[];
}

export async function openTap(options: TapOptions): Promise<Tap> {
  const { target, busy, killed, faults } = options;
  const met = new Map<Fault, number>();
  let count = 0;
  let closed = false;
  const server = createServer(async (request, response) => {
    const fault = carriesLines(request) ? (faults[count++] ?? 'pass') : 'pass';
    met.set(fault, (met.get(fault) ?? 0) + 1);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    if (fault === 'away') {
      server.close(() => setTimeout(listen, AWAY_MS));
      server.closeAllConnections();
      return;
    }
    if (fault === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (fault === 'closed') {
      request.socket.destroy();
      return;
    }
    const url = fault === 'busy' ? busy : fault === 'killed' ? await killed() : await target();
    pass(url, request, Buffer.concat(chunks), response, fault === 'cut');
  });
  let port = 0;
  const listen = () => {
    if (!closed) server.listen(port, '127.0.0.1');
  };
  // Somebody else may have been given the port meanwhile, for a connection of theirs.
  server.on('error', () => setTimeout(listen, AWAY_MS));
  listen();
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    met,
    async [Symbol.asyncDispose]() {
      closed = true;
      server.close();
      server.closeAllConnections();
    },
  };
}

function carriesLines({ url = '' }: IncomingMessage): boolean {
  return url.includes('_bulk') || url.includes('/v1/logs');
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
    // The server died half-way through its answer.
    answer.on('error', () => request.socket.resetAndDestroy());
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
