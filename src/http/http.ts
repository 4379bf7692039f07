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
import { consoleRoutes } from './endpoints/console.ts';
import { BULK_FACTOR, elasticsearchRoute, isBelow } from './endpoints/elasticsearch.ts';
import { STREAM_FACTOR } from './endpoints/events/lines.ts';
import { eventsRoute } from './endpoints/events.ts';
import { foreignRoute } from './endpoints/foreign-paths.ts';
import { graphiqlRoutes } from './endpoints/graphiql.ts';
import { graphqlRoute } from './endpoints/graphql.ts';
import { healthRoutes } from './endpoints/health.ts';
import { otlpRoute } from './endpoints/otlp.ts';
import { splunkRoutes } from './endpoints/splunk.ts';
import { createMetrics, type Numbers } from './metrics.ts';
import type { OriginRules } from './origin.ts';
import type { Route } from './route.ts';
import { type Listener, listen, type ServerOptions } from './server.ts';
import { createEventStreams } from './transports/event-streams.ts';
import { createOperations } from './transports/operations.ts';
import { createWebsockets } from './transports/websockets.ts';
import { createYogaTransport } from './transports/yoga.ts';

export interface HttpSettings {
  host: string;
  port: number;
  /** Of its own for Elasticsearch clients; null: they have `/es` alone. */
  esPort?: number | null;
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
  /** Of the port for Elasticsearch clients; null: there is none. */
  readonly esUrl: string | null;
  /**
   * `/readyz` says no at once; after `drainMs` no more connections are taken, subscriptions end
   * (websockets with 1012), what is being executed is answered, and what is left after ten
   * seconds is cut. Calling again gives the same promise.
   */
  close(options?: { drainMs?: number }): Promise<void>;
}

/** All bodies in memory at a time, in units of the largest. */
const BODIES_AT_A_TIME = 32;
/** Where Elasticsearch clients are served on the main port. */
const ES_MOUNT = '/es';
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
  const streams = createEventStreams({ operations, auth, metrics, log });
  const yoga = createYogaTransport({ graphql, operations, streams });
  const websockets = createWebsockets({ operations, auth, metrics, log, onFault });
  const { maxBodyBytes, longMessages } = settings;
  const staleAfterMs = settings.staleAfterSeconds * 1_000;
  let draining = false;
  const notReady = async (): Promise<string | null> =>
    draining ? 'the server is stopping' : whyNotReady(options);
  const routes: Map<string, Route> = healthRoutes({
    version: options.version,
    engine: options.engine,
    schema: printSchema(graphql.schema),
    notReady,
    metricsText: metrics.text,
    metricsType: metrics.contentType,
    tokens: auth.required,
  });
  const { senders, now } = options;
  const forSenders = { senders, maxBodyBytes, budget, now, draining: () => draining };
  for (const [path, route] of splunkRoutes({ ...forSenders, notReady })) routes.set(path, route);
  for (const route of [
    otlpRoute(forSenders),
    graphqlRoute({ operations, yoga, lane, maxBodyBytes, budget, staleAfterMs }),
    eventsRoute({
      ingest: options.ingest,
      auth,
      maxBodyBytes,
      budget,
      longMessages,
      staleAfterMs,
      onFault,
    }),
  ]) {
    routes.set(route.name, route);
  }
  // Who joins addresses may end them with a slash, and most exporters drop what is answered 404.
  for (const [path, route] of [...routes]) if (isForSending(route)) routes.set(`${path}/`, route);
  const graphiql = settings.graphiql ? graphiqlRoutes() : null;
  if (graphiql !== null) routes.set(graphiql.page.name, graphiql.page);
  const consolePage = consoleRoutes(onFault);
  const elasticsearch = { senders: options.senders, maxBodyBytes, budget, now: options.now };
  const es = elasticsearchRoute(elasticsearch, ES_MOUNT);
  const atRoot = elasticsearchRoute(elasticsearch, '');
  const shared = {
    host: settings.host,
    maxDeclaredBytes: maxBodyBytes * Math.max(STREAM_FACTOR, BULK_FACTOR),
    origins: originRules(settings, auth),
    auth,
    metrics,
    log,
    onFault,
  };
  const listener = await openListener('SHIPLOG_PORT', {
    ...shared,
    port: settings.port,
    routes,
    fallback: (path) =>
      isBelow(ES_MOUNT, path)
        ? es
        : (graphiql?.file(path) ?? consolePage(path) ?? foreignRoute(path)),
    upgrades: new Map([['/graphql', websockets.upgrade]]),
  });
  const esListener = await openEsListener(settings.esPort ?? null, {
    ...shared,
    routes: new Map(),
    fallback: () => atRoot,
    upgrades: new Map(),
  }).catch(async (error: unknown) => {
    await listener.close(0);
    throw error;
  });
  let closing: Promise<void> | null = null;
  const close = async (drainMs: number): Promise<void> => {
    draining = true;
    if (drainMs > 0) await wait(drainMs);
    const closed = Promise.all([
      listener.close(CLOSE_DEADLINE_MS),
      esListener?.close(CLOSE_DEADLINE_MS),
    ]);
    streams.close();
    await Promise.all([closed, websockets.close(CLOSE_DEADLINE_MS)]);
    auth.close();
  };
  return {
    url: listener.url,
    esUrl: esListener?.url ?? null,
    close({ drainMs = 0 } = {}) {
      closing ??= close(drainMs);
      return closing;
    },
  };
}

function isForSending({ methods, access }: Route): boolean {
  return access === 'ingest' && methods.includes('POST');
}

function openAuth({ settings, now, log }: Pick<HttpOptions, 'settings' | 'now' | 'log'>): Auth {
  try {
    const { tokensFile } = settings;
    return createAuth({ tokensFile, now, onProblem: (message) => log.error(message), log });
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

/** Of the option of the port, or of the address, why it cannot be listened on. */
const LISTEN_PROBLEMS: Readonly<Record<string, [option: 'port' | 'SHIPLOG_HOST', reason: string]>> =
  {
    EADDRINUSE: ['port', 'is in use by another program; choose another port'],
    EACCES: ['port', 'may not be listened on by this user; choose one above 1023'],
    EADDRNOTAVAIL: ['SHIPLOG_HOST', 'is not an address of this machine (--host)'],
    ENOTFOUND: ['SHIPLOG_HOST', 'is not a known name'],
  };
const PORT_FLAGS = { SHIPLOG_PORT: '--port', SHIPLOG_ES_PORT: '--es-port' } as const;
type PortOption = keyof typeof PORT_FLAGS;

/**
 * What `startHttp` would throw for, before anything is made that a refused start would leave
 * behind: tokens that cannot be read, an address that cannot be listened on.
 */
export async function checkHttp(
  options: Pick<HttpOptions, 'settings' | 'now' | 'log'>,
): Promise<void> {
  openAuth(options);
  const { host, port, esPort } = options.settings;
  await probe('SHIPLOG_PORT', host, port);
  if (esPort != null) await probe('SHIPLOG_ES_PORT', host, esPort);
}

async function probe(option: PortOption, host: string, port: number): Promise<void> {
  await namingTheOption(option, { host, port }, async () => {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  });
}

async function openListener(option: PortOption, options: ServerOptions): Promise<Listener> {
  return namingTheOption(option, options, () => listen(options));
}

async function openEsListener(
  port: number | null,
  options: Omit<ServerOptions, 'port'>,
): Promise<Listener | null> {
  return port === null ? null : openListener('SHIPLOG_ES_PORT', { ...options, port });
}

async function namingTheOption<T>(
  option: PortOption,
  options: { host: string; port: number },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const problem = LISTEN_PROBLEMS[(error as NodeJS.ErrnoException).code ?? ''];
    if (problem === undefined) throw error;
    const [which, reason] = problem;
    const field = which === 'port' ? option : which;
    const flag = which === 'port' ? ` (${PORT_FLAGS[option]})` : '';
    const message = `${field}: ${options.host}:${options.port} ${reason}${flag}`;
    throw new ShiplogError('BAD_INPUT', message, { field, cause: error });
  }
}
