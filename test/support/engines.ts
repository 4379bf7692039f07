/** Suites that promise the same on every engine: described once for each. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { createLog } from '../../src/log.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import type { Store, ViewSettings } from '../../src/store/store.ts';
import { type SharedElasticsearch, sharedElasticsearch } from '../elasticsearch/shared.ts';

export const quietLog = createLog('silent');

export const testSettings: ViewSettings = {
  staleAfterMs: 300_000,
  retentionDays: 30,
  maxEventsPerTask: 10_000_000,
  queryTimeoutMs: 10_000,
  now: Date.now,
};

export interface Engine {
  name: 'sqlite' | 'elasticsearch';
  /** An empty store; closed and removed when the suite ends. `shards`: where the engine has them. */
  open(settings?: Partial<ViewSettings>, shards?: number): Promise<Store>;
  /** The environment of a server as a process that keeps its log here, beside its data directory. */
  serverEnv(): Record<string, string>;
}

export function describeOnEngines(name: string, suite: (engine: Engine) => void): void {
  describe(`${name} (SQLite)`, () => {
    const cleanUps: (() => Promise<unknown>)[] = [];
    afterAll(async () => {
      for (const cleanUp of cleanUps) await cleanUp();
    });
    suite({
      name: 'sqlite',
      async open(settings = {}) {
        const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-test-'));
        const store = await openSqliteStore({
          dataDir,
          settings: { ...testSettings, ...settings },
          log: quietLog,
        });
        cleanUps.push(
          () => store.close(),
          () => rm(dataDir, { recursive: true, force: true }),
        );
        return store;
      },
      serverEnv: () => ({}),
    });
  });
  describeOnElasticsearch(name, suite);
}

export function describeOnElasticsearch(name: string, suite: (engine: Engine) => void): void {
  describe(`${name} (Elasticsearch)`, async () => {
    const elasticsearch = await sharedElasticsearch();
    if (elasticsearch === null) {
      it.for([])('needs Elasticsearch', () => {});
      return;
    }
    suite({
      name: 'elasticsearch',
      open: opener(elasticsearch),
      serverEnv: () => ({
        SHIPLOG_STORE: 'elasticsearch',
        SHIPLOG_ELASTICSEARCH_URL: elasticsearch.url,
        SHIPLOG_ELASTICSEARCH_PREFIX: elasticsearch.prefix(),
        SHIPLOG_ELASTICSEARCH_SHARDS: '1',
        SHIPLOG_ELASTICSEARCH_REPLICAS: '0',
      }),
    });
  });
}

function opener(elasticsearch: SharedElasticsearch): Engine['open'] {
  const cleanUps: (() => Promise<unknown>)[] = [() => elasticsearch.cleanUp()];
  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });
  return async (settings = {}, shards = 1) => {
    const { openElasticsearchStore } = await import('../../src/store/elasticsearch/store.ts');
    const store = await openElasticsearchStore({
      config: { urls: [elasticsearch.url], shards, replicas: 0, prefix: elasticsearch.prefix() },
      settings: { ...testSettings, ...settings },
      log: quietLog,
    });
    cleanUps.push(() => store.close());
    return store;
  };
}
