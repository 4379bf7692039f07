/** A server of real parts on port 0, for tests of what goes over its sockets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { createGraphQL } from '../../src/graphql/operation/graphql.ts';
import { type HttpServer, type HttpSettings, startHttp } from '../../src/http/http.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { quietLog, testSettings } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

export interface HttpFixture extends Shiplog {
  http: HttpServer;
  url: string;
  port: number;
  /** Answers of POST /graphql, with what else is in `init`. */
  graphql(body: unknown, init?: RequestInit): Promise<GraphQLAnswer>;
  /** The value of one line of /metrics; null where there is none. */
  metric(name: string): Promise<number | null>;
}

export interface GraphQLAnswer {
  status: number;
  headers: Headers;
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions?: { code: string; field?: string } }[];
}

export interface FixtureOptions extends Partial<HttpSettings> {
  /** Said by /readyz where it is not null. */
  notReady?: () => Promise<string | null>;
  token?: string;
  now?: () => number;
  heartbeatMs?: number;
  /** false: all of /graphql goes through Yoga. */
  lane?: boolean;
  /** Of another engine; it stays the caller's. */
  store?: Store;
}

export async function startHttpFixture(options: FixtureOptions = {}): Promise<HttpFixture> {
  const { notReady, token, now = Date.now, heartbeatMs = 2_000, lane, store: given } = options;
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-http-'));
  const store =
    given ?? (await openSqliteStore({ dataDir, settings: testSettings, log: quietLog }));
  const shiplog = await startShiplog(store, { heartbeatMs });
  const closeParts = async (): Promise<void> => {
    await shiplog.close();
    if (given === undefined) await store.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  const graphql = createGraphQL({
    store,
    ingest: shiplog.ingest,
    tail: shiplog.tail,
    settings: {
      version: '0.0.0-test',
      startedAt: Date.now(),
      retentionDays: 30,
      staleAfterMs: testSettings.staleAfterMs,
      now: Date.now,
    },
    log: quietLog,
  });
  const http = await startHttp({
    settings: {
      host: '127.0.0.1',
      port: 0,
      tokensFile: null,
      insecure: false,
      allowedOrigins: [],
      maxBodyBytes: 8 * 1024 * 1024,
      longMessages: 'cut',
      graphiql: true,
      staleAfterSeconds: 300,
      ...settingsOf(options),
    },
    graphql,
    ingest: shiplog.ingest,
    senders: shiplog.senders,
    version: '0.0.0-test',
    engine: store.engine,
    notReady: notReady ?? (async () => null),
    numbers: [
      () => shiplog.ingest.metrics(),
      shiplog.senders.metrics,
      () => shiplog.tail.metrics(),
      () => store.metrics(),
    ],
    log: quietLog,
    now,
    ...(lane === undefined ? {} : { lane }),
  }).catch(async (error: unknown) => {
    await closeParts();
    throw error;
  });
  const { url } = http;
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  return {
    ...shiplog,
    http,
    url,
    port: Number(new URL(url).port),
    async graphql(body, init = {}) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        ...init,
        headers: { 'content-type': 'application/json', ...authorization, ...init.headers },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as object;
      return { status: response.status, headers: response.headers, ...answer };
    },
    async metric(name) {
      const response = await fetch(`${url}/metrics`, { headers: authorization });
      const line = (await response.text()).split('\n').find((text) => text.startsWith(`${name} `));
      return line === undefined ? null : Number(line.slice(name.length + 1));
    },
    async close() {
      await http.close();
      await closeParts();
    },
  };
}

function settingsOf(options: FixtureOptions): Partial<HttpSettings> {
  const { notReady, token, now, heartbeatMs, lane, store, ...settings } = options;
  return settings;
}

/** Sends raw bytes; resolves to everything that came back until the connection was closed. */
export function rawRequest(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    writeAll(socket, parts);
  });
}

function writeAll(socket: Socket, parts: (string | Buffer)[]): void {
  for (const part of parts) socket.write(part);
}

/** `count` events of one host's step, numbered. */
export function stepEvents(taskId: string, count: number, from = 0): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, at) => ({
    eventId: `e${from + at}`,
    taskId,
    host: 'web-1',
    step: 'download',
    message: `line ${from + at}`,
  }));
}

export const LOG_STEPS = `mutation ($inputs: [StepEventInput!]!) {
  logSteps(inputs: $inputs) { stored duplicates rejected results { outcome eventId error { code field } } }
}`;

/** The graphql-ws client, which does not connect again by itself. */
export function websocketClient(
  { url }: HttpFixture,
  connectionParams: Record<string, unknown> = {},
): Client {
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams,
    retryAttempts: 0,
  });
}
