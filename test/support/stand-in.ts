/** Something at Shiplog's address that does not behave: only for faults a real server does not have on demand. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StandIn extends AsyncDisposable {
  url: string;
  /** Bodies as they came. */
  bodies: string[];
}

export type Behaviour = (
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
  /** From 1. */
  count: number,
) => void;

export async function standIn(behave: Behaviour): Promise<StandIn> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    bodies.push(body);
    behave(request, response, body, bodies.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** As logSteps answers when everything was stored. */
export function storeAll(response: ServerResponse, body: string): void {
  const { inputs } = (JSON.parse(body) as { variables: { inputs: { eventId: string }[] } })
    .variables;
  const results = inputs.map(({ eventId }, index) => ({
    index,
    eventId,
    outcome: 'STORED',
    error: null,
  }));
  const logSteps = { stored: inputs.length, duplicates: 0, rejected: 0, results };
  answer(response, 200, { data: { logSteps } });
}

export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
