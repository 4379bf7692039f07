/** The Elasticsearch engine: the parts put together behind the port. */
import { setTimeout } from 'node:timers/promises';
import { ShiplogError } from '../../domain/errors.ts';
import type { LogEvent, Position } from '../../domain/event/event.ts';
import type { EventFilter, StepFilter } from '../../domain/search/filter.ts';
import type {
  AppendOutcome,
  EventQuery,
  HostQuery,
  RunKey,
  RunQuery,
  ShardCursor,
  StepGroupBy,
  StepKey,
  StepQuery,
  Store,
  TaskQuery,
  Unsettled,
  ViewSettings,
  ViewsAsked,
} from '../store.ts';
import { type ElasticsearchConfig, withDefaults } from './cluster/config.ts';
import { Connection } from './cluster/connection.ts';
import type { StoreLog } from './cluster/store-log.ts';
import { parseShard } from './indices/names.ts';
import { applyRetention } from './indices/retention.ts';
import { setUp } from './indices/setup.ts';
import { checkCursors } from './log/cursor-check.ts';
import { readHistogram } from './log/event-histogram.ts';
import { type Parts, partsOf } from './parts.ts';

export interface OpenOptions {
  config: ElasticsearchConfig;
  settings: ViewSettings;
  /** Told of what goes wrong behind the scenes. */
  log?: StoreLog;
}

/** A store that can fold its views anew, from the log, while it serves. */
export interface ElasticsearchStore extends Store {
  rebuild(onProgress: (done: number, total: number) => void): Promise<void>;
}

/** How many appends may run at a time, and how large each is best. */
const APPEND_LIMITS = { inFlight: 4, batchEvents: 2_000, batchBytes: 4 * 1024 * 1024 };
/** Retention removes whole shards, and nothing from those that are there. */
const NOTHING_REMOVED = { droppedThrough: 0 };
/** How long closing waits for what is being folded. */
const CLOSE_MAX_MS = 5_000;

/**
 * Checks the cluster and makes what is missing. Throws STORE_UNAVAILABLE where the cluster is
 * away or refuses the credentials, BAD_INPUT where it is too old or its templates are not ours.
 */
export async function openElasticsearchStore(options: OpenOptions): Promise<ElasticsearchStore> {
  const config = withDefaults(options.config);
  const connection = new Connection(options.config, config.requestTimeoutMs);
  try {
    await setUp(connection, config, options.log ?? null);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return new Elasticsearch(partsOf(connection, config, options), options.settings);
}

class Elasticsearch implements ElasticsearchStore {
  readonly engine = 'elasticsearch';
  readonly shared = true;
  /** Never resolves: a cluster may always come back. */
  readonly failed = new Promise<Error>(() => {});
  readonly appendLimits = APPEND_LIMITS;
  readonly #settings: ViewSettings;
  readonly #parts: Parts;
  #closing: Promise<void> | null = null;

  constructor(parts: Parts, settings: ViewSettings) {
    this.#settings = settings;
    this.#parts = parts;
    parts.keeper.start();
    parts.health.start();
  }

  async append(events: readonly LogEvent[]): Promise<(AppendOutcome | Unsettled)[]> {
    if (events.length === 0) return [];
    const { outcomes, stored } = await this.#parts.appender.append(events);
    for (const day of new Set(stored.map(({ position }) => parseShard(position.shard)?.day))) {
      if (day !== undefined) this.#parts.shards.touch(day);
    }
    const found: Position[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      if (!('position' in outcome) || outcome.position === null) continue;
      this.#parts.acknowledged.note((events[i] as LogEvent).taskId, outcome.position);
      if (outcome.outcome === 'DUPLICATE') found.push(outcome.position);
    }
    this.#parts.keeper.offer(stored, found);
    return outcomes;
  }

  heads(taskId: string | null) {
    return this.#parts.heads.of(taskId);
  }

  async readLog(shard: ShardCursor, to: number, filter: EventFilter | null, limit: number) {
    const none = { ...NOTHING_REMOVED, events: [], through: shard.seq };
    // Where it is known to be settled so far, the cluster need not be asked.
    const known = this.#parts.shards.known(shard.shard);
    const info =
      known !== null && known.settled >= to ? known : await this.#parts.shards.named(shard.shard);
    if (info === null || info.history !== shard.history) return none;
    const { settled } = info;
    const read = await this.#parts.reader.read(
      info,
      shard.seq,
      Math.min(to, settled),
      filter,
      limit,
    );
    return { ...NOTHING_REMOVED, ...read };
  }

  checkCursors(cursors: readonly ShardCursor[]) {
    return checkCursors({ shards: this.#parts.shards, days: this.#parts.days }, cursors);
  }
  viewsReach(positions: readonly Position[]) {
    return this.#parts.reach.reach(positions);
  }
  viewsShow(taskIds: readonly string[], to: ViewsAsked) {
    return this.#parts.ownWrites.show(taskIds, to);
  }
  events(queries: readonly EventQuery[]) {
    return this.#parts.pages.read(queries);
  }
  tasks(query: TaskQuery) {
    return this.#parts.views.tasks(query);
  }
  tasksById(ids: readonly string[]) {
    return this.#parts.tasks.byId(ids);
  }
  tasksChangedSince(after: readonly ShardCursor[], limit: number) {
    return this.#parts.changed.since(after, limit);
  }
  runs(queries: readonly RunQuery[]) {
    return this.#parts.lists.runs(queries);
  }
  runsByKey(keys: readonly RunKey[]) {
    return this.#parts.views.runsByKey(keys);
  }
  steps(queries: readonly StepQuery[]) {
    return this.#parts.lists.steps(queries);
  }
  stepsByKey(keys: readonly StepKey[]) {
    return this.#parts.views.stepsByKey(keys);
  }
  hosts(query: HostQuery) {
    return this.#parts.views.hosts(query);
  }
  hostsByName(names: readonly string[]) {
    return this.#parts.views.hostsByName(names);
  }
  lastLines(keys: readonly StepKey[], count: number) {
    return this.#parts.lines.last(keys, count);
  }
  completeness(keys: readonly RunKey[]) {
    return this.#parts.completeness.of(keys);
  }
  reliability(hosts: readonly string[], from: number | null, to: number | null) {
    return this.#parts.statistics.reliability(hosts, from, to);
  }
  stepStats(filter: StepFilter, groupBy: StepGroupBy) {
    return this.#parts.statistics.steps(filter, groupBy);
  }
  failureGroups(queries: readonly { filter: StepFilter; first: number }[]) {
    return this.#parts.lists.failures(queries);
  }
  eventHistogram(filter: EventFilter, buckets: number) {
    return readHistogram(this.#parts.searcher, this.#parts.scopes, filter, buckets);
  }
  taskStats(ids: readonly string[]) {
    return this.#parts.tasks.stats(ids);
  }
  matrices(taskIds: readonly string[]) {
    return this.#parts.snapshots.matrices(taskIds);
  }
  board(taskId: string) {
    return this.#parts.snapshots.board(taskId);
  }
  idleTasks(before: number, limit: number) {
    return this.#parts.changed.idle(before, limit);
  }

  async eventCount(): Promise<number> {
    return (await this.#parts.shards.current()).reduce((sum, { seq }) => sum + seq, 0);
  }

  applyRetention() {
    return applyRetention({
      connection: this.#parts.connection,
      bulk: this.#parts.bulk,
      searcher: this.#parts.searcher,
      names: this.#parts.names,
      days: this.#parts.days,
      shards: this.#parts.shards,
      retentionDays: this.#settings.retentionDays,
      now: this.#settings.now,
      settle: (infos) => this.#parts.reach.reach(infos.map(({ shard, seq }) => ({ shard, seq }))),
      forget: (day) => {
        this.#parts.keeper.forget(day);
        this.#parts.acknowledged.forget(day);
      },
    });
  }

  async backup(): Promise<void> {
    throw new ShiplogError(
      'BAD_INPUT',
      'Elasticsearch has its own backups: register a snapshot repository and take snapshots of Shiplog’s indices (docs/elasticsearch.md)',
    );
  }

  health() {
    return this.#parts.health.now();
  }

  rebuild(onProgress: (done: number, total: number) => void) {
    return this.#parts.keeper.rebuild(onProgress);
  }

  metrics(): Record<string, number> {
    const retries = [...this.#parts.bulk.retries.values()].reduce((sum, count) => sum + count, 0);
    return {
      views_lag_events: this.#parts.keeper.positions.lag(),
      appends_paced_total: this.#parts.keeper.pacing.paced,
      view_documents_written_total: this.#parts.keeper.written,
      view_state_bytes: this.#parts.keeper.stateBytes,
      views_set_aside_total: this.#parts.keeper.aside.count,
      bulk_retries_total: retries,
      log_short_reads_total: this.#parts.reader.shortReads,
      log_noops_total: this.#parts.reader.noops,
      refreshes_total: this.#parts.refresher.count,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** A cluster that hangs must not keep the process: its leases run out by themselves. */
  async #close(): Promise<void> {
    this.#parts.health.close();
    const given = new AbortController();
    const released = this.#parts.keeper.close().catch(() => undefined);
    const patience = setTimeout(CLOSE_MAX_MS, undefined, { signal: given.signal });
    await Promise.race([released, patience.catch(() => undefined)]);
    given.abort();
    await this.#parts.connection.close();
  }
}
