/**
 * All that is served on one port, put together: GraphQL over HTTP, SSE and websockets, events by
 * POST, pages, health; and the order in which it ends.
 */
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { printSchema } from 'graphql';
import type { Logger } from 'pino';
import { ShiplogError } from '../domain/errors.ts';
import type { GraphQLServer } from '../graphql/operation/graphql.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { Senders } from '../senders/senders.ts';
import { type Auth, createAuth } from './auth.ts';
import { BodyBudget } from './body/body.ts';
import { eventsRoute, STREAM_FACTOR } from './endpoints/events.ts';
import { graphiqlRoutes } from './endpoints/graphiql.ts';
import { graphqlRoute } from './endpoints/graphql.ts';
import { healthRoutes } from './endpoints/health.ts';
import { createMetrics, type Numbers } from './metrics.ts';
import type { OriginRules } from './origin.ts';
import type { Route } from './route.ts';
import { type Listener, listen } from './server.ts';
import { createEventStreams } from './transports/event-streams.ts';
import { createOperations } from './transports/operations.ts';
import { createWebsockets } from './transports/websockets.ts';
import { createYogaTransport } from './transports/yoga.ts';

export interface HttpSettings {
  host: string;
  port: number;
  tokensFile: string | null;
  insecure: boolean;
  allowedOrigins: readonly string[];
  maxBodyBytes: number;
  longMessages: 'cut' | 'reject';
  graphiql: boolean;
  staleAfterSeconds: number;
}

export interface HttpOptions {
  settings: HttpSettings;
  graphql: GraphQLServer;
  ingest: Pick<Ingest, 'logSteps' | 'noteRejected'>;
  senders: Senders;
  version: string;
  engine: string;
  /** null: the store works and the log is followed. Else why not, in words; no secrets. */
  notReady: () => Promise<string | null>;
  /** What the other parts count, for /metrics. */
  numbers: readonly Numbers[];
  log: Logger;
  now: () => number;
  /** false: every request to /graphql goes through Yoga; for tests that hold both ways in equal. */
  lane?: boolean;
}

export interface HttpServer {
  readonly url: string;
  /**
   * `/readyz` says no at once; after `drainMs` no more connections are taken, subscriptions end
   * (websockets with 1012), what is being executed is answered, and what is left after ten
   * seconds is cut. Calling again gives the same promise.
   */
  close(options?: { drainMs?: number }): Promise<void>;
}

/** All bodies in memory at a time, in units of the largest. */
const BODIES_AT_A_TIME = 32;
const CLOSE_DEADLINE_MS = 10_000;
/** What does not answer within this is not ready. */
const READY_TIMEOUT_MS = 2_000;

/**
 * Throws BAD_INPUT naming the option where the address cannot be listened on or the tokens cannot
 * be read.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { settings, graphql, log, lane = true } = options;
  const auth = openAuth(options);
  const onFault = (error: unknown): void => log.error({ err: error }, 'a request failed');
  const onForbidden = (): void => auth.countFailure('scope');
  const operations = createOperations({ graphql, onFault, onForbidden });
  const budget = new BodyBudget(settings.maxBodyBytes * BODIES_AT_A_TIME);
  const metrics = createMetrics({ version: options.version, engine: options.engine }, [
    ...options.numbers,
    graphql.metrics,
    () => ({ http_body_bytes: budget.heldBytes, ...authNumbers(auth) }),
  ]);
  const streams = createEventStreams({ operations, auth, metrics });
  const yoga = createYogaTransport({ graphql, operations, streams });
  const websockets = createWebsockets({ operations, auth, metrics, onFault });
  const { maxBodyBytes, longMessages } = settings;
  const staleAfterMs = settings.staleAfterSeconds * 1_000;
  let draining = false;
  const routes: Map<string, Route> = healthRoutes({
    version: options.version,
    engine: options.engine,
    schema: printSchema(graphql.schema),
    notReady: () => (draining ? Promise.resolve('the server is stopping') : whyNotReady(options)),
    metricsText: metrics.text,
    metricsType: metrics.contentType,
    tokens: auth.required,
  });
  for (const route of [
    graphqlRoute({ operations, yoga, lane, maxBodyBytes, budget, staleAfterMs }),
    eventsRoute({ ingest: options.ingest, maxBodyBytes, budget, longMessages, onFault }),
  ]) {
    routes.set(route.name, route);
  }
  const graphiql = settings.graphiql ? graphiqlRoutes() : null;
  if (graphiql !== null) routes.set(graphiql.page.name, graphiql.page);
  const listener = await openListener({
    host: settings.host,
    port: settings.port,
    maxDeclaredBytes: maxBodyBytes * STREAM_FACTOR,
    routes,
    fallback: (path) => graphiql?.file(path) ?? null,
    upgrades: new Map([['/graphql', websockets.upgrade]]),
    origins: originRules(settings, auth),
    auth,
    metrics,
    onFault,
  });
  let closing: Promise<void> | null = null;
  const close = async (drainMs: number): Promise<void> => {
    draining = true;
    if (drainMs > 0) await wait(drainMs);
    const closed = listener.close(CLOSE_DEADLINE_MS);
    streams.close();
    await Promise.all([closed, websockets.close(CLOSE_DEADLINE_MS)]);
    auth.close();
  };
  return {
    url: listener.url,
    close({ drainMs = 0 } = {}) {
      closing ??= close(drainMs);
      return closing;
    },
  };
}

function openAuth({ settings, now, log }: Pick<HttpOptions, 'settings' | 'now' | 'log'>): Auth {
  try {
    const { tokensFile } = settings;
    return createAuth({ tokensFile, now, onProblem: (message) => log.error(message) });
  } catch (error) {
    throw new ShiplogError(
      'BAD_INPUT',
      `SHIPLOG_TOKENS_FILE: ${settings.tokensFile} cannot be read: ${(error as Error).message} (shiplog tokens create makes it)`,
      { field: 'SHIPLOG_TOKENS_FILE', cause: error },
    );
  }
}

function authNumbers(auth: Auth): Record<string, number> {
  return Object.fromEntries(
    Object.entries(auth.failures()).map(([reason, count]) => [
      `auth_failures_total{reason="${reason}"}`,
      count,
    ]),
  );
}

function originRules(settings: HttpSettings, auth: Auth): OriginRules {
  return {
    allowed: settings.allowedOrigins,
    host: settings.host,
    localNamesOnly: !auth.required && !settings.insecure,
  };
}

async function whyNotReady({ notReady }: HttpOptions): Promise<string | null> {
  const late = wait(READY_TIMEOUT_MS, 'the store does not answer', { ref: false });
  try {
    return await Promise.race([notReady(), late]);
  } catch {
    return 'the store does not answer';
  }
}

const LISTEN_PROBLEMS: Readonly<Record<string, [option: string, reason: string]>> = {
  EADDRINUSE: ['SHIPLOG_PORT', 'is in use by another program; choose another port (--port)'],
  EACCES: ['SHIPLOG_PORT', 'may not be listened on by this user; choose one above 1023 (--port)'],
  EADDRNOTAVAIL: ['SHIPLOG_HOST', 'is not an address of this machine (--host)'],
  ENOTFOUND: ['SHIPLOG_HOST', 'is not a known name'],
};

/**
 * What `startHttp` would throw for, before anything is made that a refused start would leave
 * behind: tokens that cannot be read, an address that cannot be listened on.
 */
export async function checkHttp(
  options: Pick<HttpOptions, 'settings' | 'now' | 'log'>,
): Promise<void> {
  openAuth(options);
  const { host, port } = options.settings;
  await namingTheOption({ host, port }, async () => {
    const probe = createServer();
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject);
      probe.listen({ host, port }, resolve);
    });
    await new Promise((resolve) => probe.close(resolve));
  });
}

async function openListener(options: Parameters<typeof listen>[0]): Promise<Listener> {
  return namingTheOption(options, () => listen(options));
}

async function namingTheOption<T>(
  options: { host: string; port: number },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const problem = LISTEN_PROBLEMS[(error as NodeJS.ErrnoException).code ?? ''];
    if (problem === undefined) throw error;
    const [field, reason] = problem;
    const message = `${field}: ${options.host}:${options.port} ${reason}`;
    throw new ShiplogError('BAD_INPUT', message, { field, cause: error });
  }
}
