/**
 * Stores whose views stand still: held back at a gate, or stored and never refreshed. And the lists
 * that are compared: every filter and order, whole and page by page.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { Page, PageRequest } from '../../src/domain/cursor/page.ts';
import type { LogEvent } from '../../src/domain/event/event.ts';
import type { RunView, StepView } from '../../src/domain/fold/views.ts';
import type { RunFilter, StepFilter } from '../../src/domain/search/filter.ts';
import type { ElasticsearchConfig } from '../../src/store/elasticsearch/cluster/config.ts';
import {
  type ElasticsearchStore,
  openElasticsearchStore,
} from '../../src/store/elasticsearch/store.ts';
import type { RunQuery, Store } from '../../src/store/store.ts';
import { type Gate, openGate } from '../elasticsearch/gate.ts';
import type { SharedElasticsearch } from '../elasticsearch/shared.ts';
import { anEvent, aStatus } from './events.ts';
import { allRows, aPage, contractSettings, fill, positionOf } from './harness.ts';

/** A keeper that cannot store is believed for as long as its lease is; here longer than a test. */
const CONFIG = { shards: 1, replicas: 0, readWaitMs: 20_000, leaseMs: 60_000 };
/** A keeper lets go of a shard in which nothing came for half a minute. */
const KEPT_FOR_MS = 10_000;
/** For those that wait in vain. */
export const IMPATIENT = { readWaitMs: 300 };

export interface Kept {
  gate: Gate;
  store: ElasticsearchStore;
  prefix: string;
}

export class StandingViews {
  readonly #elasticsearch: SharedElasticsearch;
  /** What the tests share, and what one of them opened. */
  readonly #shared: (() => Promise<void> | void)[] = [];
  #opened = this.#shared;
  #kept: Kept | null = null;
  #keptAt = 0;

  /** Of the file that makes it: opens what its tests share, and closes all at their ends. */
  constructor(elasticsearch: SharedElasticsearch) {
    this.#elasticsearch = elasticsearch;
    beforeAll(async () => {
      this.#kept = await this.aKeeper();
      this.#opened = [];
    });
    beforeEach(async () => {
      if (performance.now() - this.#keptAt < KEPT_FOR_MS) return;
      await fill(this.store, [anEvent({ taskId: 'other' })]);
      this.#keptAt = performance.now();
    });
    afterEach(async () => {
      for (const close of this.#opened.splice(0).reverse()) await close();
    });
    afterAll(async () => {
      for (const close of this.#shared.reverse()) await close();
      await elasticsearch.cleanUp();
    });
  }

  get gate(): Gate {
    return (this.#kept as Kept).gate;
  }

  get store(): ElasticsearchStore {
    return (this.#kept as Kept).store;
  }

  async open(
    url: string,
    prefix: string,
    config: Partial<ElasticsearchConfig> = {},
  ): Promise<ElasticsearchStore> {
    const store = await openElasticsearchStore({
      config: { ...CONFIG, urls: [url], prefix, ...config },
      settings: contractSettings,
    });
    this.#opened.push(() => store.close());
    return store;
  }

  async openGate(): Promise<Gate> {
    const gate = await openGate(this.#elasticsearch.url);
    this.#opened.unshift(() => gate.close());
    return gate;
  }

  /** A store that keeps the views of its one shard. */
  async aKeeper(config: Partial<ElasticsearchConfig> = {}): Promise<Kept> {
    const prefix = this.#elasticsearch.prefix();
    const gate = await this.openGate();
    const store = await this.open(gate.url, prefix, config);
    await fill(store, [anEvent({ taskId: 'other' })]);
    return { gate, store, prefix };
  }

  /** No view is stored from now on. */
  hold(gate: Gate): void {
    gate.hold('-views-');
    this.#opened.push(() => gate.release());
  }

  /** The cluster shows what is stored only when it is told to. */
  async stopRefreshing(store: ElasticsearchStore, prefix: string): Promise<void> {
    const settings = { index: { refresh_interval: '-1' } };
    const answer = await this.#ask(`${prefix}-views-*/_settings`, 'PUT', settings);
    expect(answer).toEqual({ acknowledged: true });
    // One that was due before may still come: until what is stored stays unseen.
    for (let i = 0; i < 10; i++) {
      const host = `canary-${i}`;
      await told(store, aStatus('RUNNING', { taskId: 'large', host, step: 'flip' }));
      await expect.poll(() => store.metrics().views_lag_events, { timeout: 10_000 }).toBe(0);
      if ((await this.searched(prefix, host)) === 0) return;
    }
    expect.fail('the cluster goes on refreshing');
  }

  /** How many runs of a host a search finds now. */
  async searched(prefix: string, host: string): Promise<number> {
    const filter = [{ term: { 'shiplog.view': 'run' } }, { term: { 'host.name': host } }];
    const query = { bool: { filter } };
    return (await this.#ask(`${prefix}-views-*/_count`, 'POST', { query })).count;
  }

  async refreshed(prefix: string, host: string): Promise<number> {
    await this.#ask(`${prefix}-views-*/_refresh`, 'POST');
    return this.searched(prefix, host);
  }

  async #ask(path: string, method = 'GET', body?: object) {
    const headers = { 'content-type': 'application/json' };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return (await fetch(`${this.#elasticsearch.url}/${path}`, init)).json();
  }
}

export async function told(store: ElasticsearchStore, ...events: LogEvent[]): Promise<void> {
  (await store.append(events)).forEach(positionOf);
}

export const runOf = async (store: ElasticsearchStore, taskId: string, host: string) =>
  (await store.runsByKey([{ taskId, host }]))[0];

export const listOf = (filter: RunFilter, page: Partial<PageRequest> = {}): RunQuery => ({
  ...{ filter, order: 'HOST_ASC', page: aPage({ withTotal: true, ...page }) },
});

const RUN_ORDERS = [
  ...(['HOST_ASC', 'STARTED_DESC', 'DURATION_DESC'] as const),
  ...(['LAST_EVENT_DESC', 'FAILED_FIRST'] as const),
];
const STEP_ORDERS = ['STARTED_DESC', 'STARTED_ASC', 'DURATION_DESC'] as const;
const RUN_FILTERS: RunFilter[] = [
  ...[{}, { hosts: ['web-1', 'db-*'] }, { hosts: ['nowhere'] }, { stale: true }, { stale: false }],
  ...[{ failedStep: 'restart' }, { outOfRotation: true }, { outOfRotation: false }],
  ...[{ services: ['checkout'] }, { from: 1_760_000_001_000, to: 1_760_000_200_000 }],
  ...([['FAILED'], ['RUNNING', 'PENDING']] as const).map((some) => ({ statuses: [...some] })),
];
const STEP_FILTERS: StepFilter[] = [
  ...[{}, { hosts: ['web-*'], steps: ['backup', 'restart'] }, { minDurationMs: 500 }],
  ...[{ environments: ['prod'] }, { from: 1_760_000_001_000 }, { errorCode: 'E_IO' }],
  ...([['FAILED', 'TIMED_OUT'], ['SUCCEEDED']] as const).map((some) => ({ statuses: [...some] })),
];

/** Rows of a page where one is read, and where all are read, ahead and back. */
interface Limits {
  most: number;
  ahead: number;
  back: number;
}
const SMALL_PAGES = { most: 500, ahead: 2, back: 3 };
export const LARGE_PAGES = { most: 40, ahead: 170, back: 230 };

/** Whole lists by every filter and order, and lists that are read page by page. */
export async function runPages(store: Store, ids: readonly string[], limits: Limits = SMALL_PAGES) {
  const page = aPage({ limit: limits.most, withTotal: true });
  const queries = ids.flatMap((taskId) =>
    RUN_ORDERS.flatMap((order) =>
      RUN_FILTERS.map((filter) => ({ filter: { ...filter, taskId }, order, page })),
    ),
  );
  const filter = { taskId: ids[0] as string };
  const walks = RUN_ORDERS.map((order) => async (page: PageRequest) => {
    const [found] = await store.runs([{ filter, order, page }]);
    return found as Page<RunView>;
  });
  return [await store.runs(queries), await walked(walks, limits)];
}

export async function stepPages(
  store: Store,
  ids: readonly string[],
  limits: Limits = SMALL_PAGES,
) {
  const page = aPage({ limit: limits.most, withTotal: true });
  const queries = ids.flatMap((taskId) =>
    STEP_ORDERS.flatMap((order) =>
      STEP_FILTERS.map((filter) => ({ filter: { ...filter, taskId }, order, page })),
    ),
  );
  const filter = { taskId: ids.at(1) ?? (ids[0] as string) };
  const walks = STEP_ORDERS.map((order) => async (page: PageRequest) => {
    const [found] = await store.steps([{ filter, order, page }]);
    return found as Page<StepView>;
  });
  return [await store.steps(queries), await walked(walks, limits)];
}

export function causes(store: Store, ids: readonly string[]) {
  const filters = ids.flatMap((taskId) => STEP_FILTERS.map((filter) => ({ ...filter, taskId })));
  return store.failureGroups(filters.map((filter, i) => ({ filter, first: 1 + (i % 3) })));
}

/** In both directions. */
function walked<T>(
  walks: readonly ((page: PageRequest) => Promise<Page<T>>)[],
  { ahead, back }: Limits,
) {
  return Promise.all(
    walks.map(async (read) => [await allRows(read, false, ahead), await allRows(read, true, back)]),
  );
}
