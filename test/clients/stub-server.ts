/** Something that answers at the server's address as a test wants it: a proxy, a page, a server in need. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Got {
  path: string;
  authorization: string;
  /** The lines of the request. */
  lines: string[];
}

export interface Answered {
  status: number;
  body: string;
}

export interface StubServer {
  url: string;
  got: Got[];
  stop(): void;
}

/** Null: never. */
export type Answer = (got: Got, earlier: readonly Got[]) => Answered | null;

/** As the server answers when it stored all of them. */
export function stored({ path, lines }: Got): Answered {
  const body =
    path === '/graphql'
      ? { data: { startTask: { task: { id: 'x' } } } }
      : { stored: lines.length, duplicates: 0, rejected: 0, results: [] };
  return { status: 200, body: JSON.stringify(body) };
}

export async function startStubServer(answer: Answer): Promise<StubServer> {
  const all: Got[] = [];
  const server = createServer(async (incoming, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const got = {
      path: incoming.url ?? '',
      authorization: incoming.headers.authorization ?? '',
      lines: Buffer.concat(pieces).toString().split('\n').filter(Boolean),
    };
    const answered = answer(got, all);
    all.push(got);
    if (answered === null) return;
    const { status, body } = answered;
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got: all,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
