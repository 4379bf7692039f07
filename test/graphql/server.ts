/** The GraphQL server over real parts, and operations against it as a client would send them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionResult } from 'graphql';
import {
  createGraphQL,
  type GraphQLServer,
  isStream,
} from '../../src/graphql/operation/graphql.ts';
import type { Limits } from '../../src/graphql/operation/limits.ts';
import type { ResultStream } from '../../src/graphql/operation/result-stream.ts';
import type { Scope, Viewer } from '../../src/graphql/viewer.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store } from '../../src/store/store.ts';
import { testSettings } from '../support/engines.ts';
import { type Shiplog, startShiplog } from '../support/shiplog.ts';

/** What a test reads of an answer: any shape, and missing parts are undefined. */
// biome-ignore lint/suspicious/noExplicitAny: data of any operation, checked by what tests expect
export type Data = any;

export interface Answer {
  data: Data;
  errors: { message: string; extensions: Record<string, unknown>; path?: unknown }[];
}

export interface TestServer extends Shiplog {
  graphql: GraphQLServer;
  /** What was logged: unforeseen faults. */
  logged: object[];
  /** A result, or the stream of a subscription, as transports are given it. */
  run(source: string, variables: object, viewer: Viewer): Promise<ResultStream | ExecutionResult>;
  ask(source: string, variables?: object, viewer?: Viewer): Promise<Answer>;
  /** The data; an error fails the test. */
  data(source: string, variables?: object): Promise<Data>;
  follow(source: string, variables?: object): Promise<ResultStream>;
  /** Reports events; resolves when every view shows them. */
  report(...events: object[]): Promise<void>;
}

export function viewerWith(...scopes: Scope[]): Viewer {
  return { tokenId: 'test', scopes: new Set(scopes), address: null };
}

export interface TestOptions {
  limits?: Partial<Limits>;
  now?: () => number;
  /** What the schema reads from; the store itself unless a test looks on. */
  reading?: Store;
}

/** The store stays the caller's. */
export async function startServer(store: Store, options: TestOptions = {}): Promise<TestServer> {
  const { now = Date.now, reading = store, limits = {} } = options;
  const shiplog = await startShiplog(store, { now });
  const logged: object[] = [];
  const graphql = createGraphQL({
    store: reading,
    ingest: shiplog.ingest,
    tail: shiplog.tail,
    settings: { version: '0', startedAt: 0, retentionDays: 30, staleAfterMs: 300_000, now },
    limits,
    log: { error: (details) => logged.push(details) },
  });

  async function run(
    source: string,
    variables: object,
    viewer: Viewer,
  ): Promise<ResultStream | ExecutionResult> {
    const { operation, errors } = graphql.prepare(source);
    if (operation === null) return { errors };
    const how = operation.type === 'subscription' ? 'subscribe' : 'execute';
    return graphql[how](operation, { variables: variables as Record<string, unknown>, viewer });
  }

  async function ask(source: string, variables = {}, viewer = viewerWith('admin')) {
    const result = await run(source, variables, viewer);
    if (isStream(result)) throw new Error('a subscription');
    // As it goes over the wire.
    const { data, errors = [] } = JSON.parse(graphql.serialize(result)) as Partial<Answer>;
    return { data, errors };
  }

  return {
    ...shiplog,
    run,
    graphql,
    logged,
    ask,
    async data(source, variables) {
      const { data, errors } = await ask(source, variables);
      if (errors.length > 0) throw new Error(JSON.stringify(errors));
      return data;
    },
    async report(...events) {
      const outcomes = await shiplog.ingest.logSteps(events);
      const positions = outcomes.flatMap(({ position }) => position ?? []);
      if (positions.length < events.length) throw new Error(JSON.stringify(outcomes));
      await store.viewsReach(positions);
    },
    async follow(source, variables = {}) {
      const result = await run(source, variables, viewerWith('read'));
      if (!isStream(result)) throw new Error(JSON.stringify(result.errors));
      return result;
    },
  };
}

/** The next result's data. */
export async function next(stream: ResultStream): Promise<Data> {
  const { value } = await stream.next();
  if (value?.errors !== undefined) throw new Error(JSON.stringify(value.errors));
  return JSON.parse(JSON.stringify(value?.data ?? null));
}

/** Over an embedded store of its own: for what no engine has a part in. */
export async function startEmbedded(options: TestOptions = {}): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-graphql-'));
  const store = await openSqliteStore({ dataDir, settings: testSettings });
  const server = await startServer(store, options);
  return {
    ...server,
    async close() {
      await server.close();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
