/** The only place that knows which engines there are. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { badInput } from '../domain/errors.ts';
import type { Finding } from '../domain/finding.ts';
import type { Log } from '../log.ts';
import type { ElasticsearchConfig } from './elasticsearch/cluster/config.ts';
import { backupDataDir, openSqliteStore } from './sqlite/store.ts';
import type { Store, ViewSettings } from './store.ts';

export async function openStore(config: Config, now: () => number, log: Log): Promise<Store> {
  const settings = viewSettings(config, now);
  if (config.store === 'sqlite') {
    return openSqliteStore({ dataDir: config.dataDir, settings, log });
  }
  // Loaded on demand: its client costs the embedded server's start a good part of a second.
  const { openElasticsearchStore } = await import('./elasticsearch/store.ts');
  const startWaitMs = config.elasticsearchWaitSeconds * 1_000;
  return openElasticsearchStore({
    config: { ...elasticsearchConfig(config), startWaitMs },
    settings,
    log,
  });
}

function viewSettings(config: Config, now: () => number): ViewSettings {
  return {
    staleAfterMs: config.staleAfterSeconds * 1_000,
    retentionDays: config.retentionDays,
    maxEventsPerTask: config.maxEventsPerTask,
    queryTimeoutMs: config.queryTimeoutMs,
    now,
  };
}

/** Throws BAD_INPUT where the file of the certificate authority cannot be read. */
function elasticsearchConfig(config: Config): ElasticsearchConfig {
  return {
    urls: config.elasticsearchUrl,
    ...optional('username', config.elasticsearchUsername),
    ...optional('password', config.elasticsearchPassword),
    ...optional('apiKey', config.elasticsearchApiKey),
    ...optional('ca', readCa(config.elasticsearchCa)),
    shards: config.elasticsearchShards,
    replicas: config.elasticsearchReplicas,
    refreshMs: config.elasticsearchRefreshMs,
    prefix: config.elasticsearchPrefix,
  };
}

function readCa(file: string | null): string | null {
  if (file === null) return null;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw badInput(`SHIPLOG_ELASTICSEARCH_CA: ${(error as Error).message}`, 'elasticsearchCa');
  }
}

function optional<K extends string>(key: K, value: string | null): { [P in K]?: string } {
  return value === null ? {} : ({ [key]: value } as { [P in K]: string });
}

/** A consistent copy of the embedded store, also of one that a server is using now. */
export async function backupStore(config: Config, file: string): Promise<void> {
  if (config.store !== 'sqlite') {
    throw badInput('Elasticsearch has snapshots of its own: see docs/elasticsearch.md', 'store');
  }
  await backupDataDir(config.dataDir, file);
}

/**
 * Folds all views anew from the log. With Elasticsearch while servers are serving; the embedded
 * store has to be free, else STORE_UNAVAILABLE. Resolves to how many events were folded.
 */
export async function rebuildStore(
  config: Config,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  if (config.store === 'sqlite') {
    const { rebuildDataDir } = await import('./sqlite/write/rebuild.ts');
    return rebuildDataDir(config.dataDir, onProgress);
  }
  const { openElasticsearchStore } = await import('./elasticsearch/store.ts');
  const settings = viewSettings(config, Date.now);
  const store = await openElasticsearchStore({ config: elasticsearchConfig(config), settings });
  let folded = 0;
  try {
    await store.rebuild((done, total) => {
      folded = done;
      onProgress(done, total);
    });
  } finally {
    await store.close();
  }
  return folded;
}

/** Looks at the store from outside, changing nothing; `onFinding` hears each thing found at once. */
export async function examineStore(
  config: Config,
  onFinding: (finding: Finding) => Promise<unknown>,
): Promise<void> {
  if (config.store === 'sqlite') {
    const { examineDataDir } = await import('./sqlite/file/doctor.ts');
    for (const finding of examineDataDir(config.dataDir)) await onFinding(finding);
    return;
  }
  const { examineCluster } = await import('./elasticsearch/doctor/doctor.ts');
  const { retentionDays } = config;
  for await (const finding of examineCluster(elasticsearchConfig(config), retentionDays)) {
    await onFinding(finding);
  }
}
