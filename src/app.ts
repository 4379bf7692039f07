/**
 * The composition root: the one file that knows every layer. What it starts first it stops last.
 */
import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { ShiplogError } from './domain/errors.ts';
import { createRedactor } from './domain/redact/redact.ts';
import { createGraphQL } from './graphql/operation/graphql.ts';
import { every, guarded } from './guarded.ts';
import { readAddress, removeAddress, writeAddress } from './http/address-file.ts';
import { checkHttp, type HttpServer, startHttp } from './http/http.ts';
import { startIdleSweeper } from './ingest/idle.ts';
import { createIngest } from './ingest/ingest.ts';
import { createLog, type Log } from './log.ts';
import { loadMappings } from './senders/mapping/load-mappings.ts';
import type { Mappings } from './senders/mapping/mappings.ts';
import { createSenders } from './senders/senders.ts';
import { listenSyslog, type SyslogListener } from './senders/syslog/listener.ts';
import { openStore } from './store/open-store.ts';
import type { Store } from './store/store.ts';
import { createTail } from './tail/create-tail.ts';

const RETENTION_EVERY_MS = 60 * 60_000;

export interface App {
  readonly url: string;
  /** Of the port for Elasticsearch clients; null: there is none. */
  readonly esUrl: string | null;
  /** `127.0.0.1:6514`; null: syslog is not taken. */
  readonly syslogAddress: string | null;
  readonly version: string;
  /** Resolves with the reason when only a new process can write again: close this one. */
  readonly failed: Promise<Error>;
  /**
   * Stops: readiness off, sockets closed with their cursors delivered, what was taken is stored
   * and answered. Calling again gives the same promise.
   */
  close(): Promise<void>;
}

export interface AppOptions {
  now?: () => number;
  log?: Log;
}

/**
 * Opens the store, follows the log, and serves; resolves once it listens. Throws a ShiplogError
 * that names the setting where one is to blame.
 */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const { now = Date.now, log = createLog(config.logLevel) } = options;
  try {
    const mappings = loadMappings(config.mappingFile);
    await checkHttp({ settings: config, now, log });
    const store = await openStore(config, now, log);
    try {
      return await serve(config, store, mappings, now, log);
    } catch (error) {
      await store.close();
      throw error;
    }
  } catch (error) {
    throw runningAlready(config, error) ?? error;
  }
}

/** Where the port or the data directory is taken by a server of the same directory; else null. */
function runningAlready({ store, dataDir }: Config, error: unknown): ShiplogError | null {
  if (store !== 'sqlite' || !(error instanceof ShiplogError)) return null;
  if (error.field !== 'SHIPLOG_PORT' && error.code !== 'STORE_UNAVAILABLE') return null;
  const running = readAddress(dataDir);
  if (running === null) return null;
  return new ShiplogError(
    'STORE_UNAVAILABLE',
    `Shiplog is running already: ${running.url} (process ${running.pid}, data directory ${dataDir}). For a second one choose another --port and --data-dir.`,
    { cause: error },
  );
}

async function serve(
  config: Config,
  store: Store,
  mappings: Mappings,
  now: () => number,
  log: Log,
): Promise<App> {
  const staleAfterMs = config.staleAfterSeconds * 1_000;
  const heartbeatMs = config.heartbeatSeconds * 1_000;
  const version = readVersion();
  const redactor = createRedactor({ enabled: config.redact, keys: config.redactKeys });
  const tail = await createTail(store, { heartbeatMs, staleAfterMs, now }, log);
  const publish = tail.publish;
  const ingest = createIngest({ store, redactor, publish, now, log });
  const senders = createSenders({ ingest, mappings, now, log });
  const graphql = createGraphQL({
    store,
    ingest,
    tail,
    settings: {
      version,
      startedAt: now(),
      retentionDays: config.retentionDays,
      staleAfterMs,
      now,
    },
    limits: { hideSuggestions: config.hideSuggestions },
    log,
  });
  const redactions = () =>
    Object.fromEntries(
      Object.entries(redactor.counts).map(([rule, count]) => [
        `redactions_total{rule="${rule}"}`,
        count,
      ]),
    );
  let http: HttpServer;
  let syslog: SyslogListener | null = null;
  try {
    if (config.syslogPort !== null) {
      const { syslogHost: host, syslogPort: port } = config;
      syslog = await listenSyslog({ host, port, senders, now, log });
    }
    const syslogNumbers = syslog === null ? [] : [syslog.metrics];
    http = await startHttp({
      settings: config,
      graphql,
      ingest,
      senders,
      version,
      engine: store.engine,
      notReady: () => whyNotReady(store, tail.ready()),
      numbers: [
        ingest.metrics,
        senders.metrics,
        ...syslogNumbers,
        tail.metrics,
        () => store.metrics(),
        redactions,
      ],
      log,
      now,
    });
  } catch (error) {
    await syslog?.close();
    await tail.close();
    throw error;
  }
  const idleAfterMs = config.taskIdleSeconds * 1_000;
  const stopIdle = startIdleSweeper({ store, ingest, idleAfterMs, now, log });
  const stopRetention = startRetention(store, log);
  const embedded = config.store === 'sqlite';
  if (embedded) writeAddress(config.dataDir, http.url);
  const es = http.esUrl === null ? {} : { esUrl: http.esUrl };
  const syslogAddress = syslog?.address ?? null;
  const taken = syslogAddress === null ? {} : { syslog: syslogAddress };
  log.info({ url: http.url, ...es, ...taken, engine: store.engine, version }, 'listening');
  let closing: Promise<void> | null = null;

  async function close(): Promise<void> {
    log.info('stopping');
    stopIdle();
    stopRetention();
    await http.close({ drainMs: config.drainSeconds * 1_000 });
    await syslog?.close();
    await ingest.close();
    await tail.close();
    if (embedded) removeAddress(config.dataDir);
    await store.close();
    log.info('stopped');
  }

  return {
    url: http.url,
    esUrl: http.esUrl,
    syslogAddress,
    version,
    failed: store.failed,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function whyNotReady(store: Store, followed: boolean): Promise<string | null> {
  if (!followed) return 'the log has not been followed yet';
  const { ok, detail } = await store.health();
  return ok ? null : detail;
}

/** Once at the start and then every hour. */
function startRetention(store: Store, log: Log): () => void {
  const doing = 'removing what is older than the retention';
  const apply = async (): Promise<void> => {
    const report = await store.applyRetention();
    if (report.removedTasks > 0) log.info(report, 'retention removed old tasks');
  };
  guarded(log, doing, apply)();
  const timer = every(RETENTION_EVERY_MS, log, doing, apply);
  return () => clearInterval(timer);
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
