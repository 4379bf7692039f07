/** The Elasticsearch engine: the parts put together behind the port. */
import { setTimeout } from 'node:timers/promises';
import { ShiplogError } from '../../domain/errors.ts';
import type { LogEvent, Position } from '../../domain/event/event.ts';
import type { TaskMatrix } from '../../domain/fold/views.ts';
import type { EventFilter, StepFilter } from '../../domain/search/filter.ts';
import type {
  AppendOutcome,
  CursorCheck,
  EventQuery,
  HostQuery,
  MatrixAnswer,
  RunKey,
  RunQuery,
  ShardCursor,
  ShardHead,
  StepGroupBy,
  StepKey,
  StepQuery,
  Store,
  TaskQuery,
  Unsettled,
  ViewSettings,
} from '../store.ts';
import { Bulk } from './cluster/bulk.ts';
import { type ElasticsearchConfig, type Settled, withDefaults } from './cluster/config.ts';
import { Connection } from './cluster/connection.ts';
import { Refresher } from './cluster/refresher.ts';
import { Searcher } from './cluster/searcher.ts';
import type { StoreLog } from './cluster/store-log.ts';
import { readHealth } from './health/health.ts';
import { HealthWatch, LOOK_MS } from './health/health-watch.ts';
import { Days } from './indices/days.ts';
import { DAY_MS, dayAt, Names, parseShard, shardName, shardOf } from './indices/names.ts';
import { applyRetention } from './indices/retention.ts';
import { setUp } from './indices/setup.ts';
import { headOf, type ShardInfo, Shards } from './indices/shards.ts';
import { type Registered, Registry } from './indices/task-registry.ts';
import { Keeper } from './keeper/keeper.ts';
import { ViewsReach } from './keeper/views-reach.ts';
import { Acknowledged } from './log/acknowledged.ts';
import { Appender } from './log/append.ts';
import { EventDetails } from './log/completeness.ts';
import { readHistogram } from './log/event-histogram.ts';
import { EventLines } from './log/event-lines.ts';
import { EventPages } from './log/event-pages.ts';
import { Scopes } from './log/event-scope.ts';
import { LogReader } from './log/log-reader.ts';
import { readFreshTasks } from './log/unfolded-tasks.ts';
import { BoardReader } from './views/board-reader.ts';
import { ChangedTasks } from './views/changed-tasks.ts';
import { Statistics } from './views/statistics.ts';
import { ViewReader } from './views/view-reader.ts';

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
/** How long closing waits for what is being folded. */
const CLOSE_MAX_MS = 5_000;
/** Before midnight a task that is not known yet may begin on either day. */
const EVE_MS = 15 * 60_000;

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
  return new Elasticsearch(connection, config, options);
}

class Elasticsearch implements ElasticsearchStore {
  readonly engine = 'elasticsearch';
  readonly shared = true;
  /** A cluster may always come back. */
  readonly failed = new Promise<Error>(() => {});
  readonly appendLimits = APPEND_LIMITS;
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #settings: ViewSettings;
  readonly #bulk: Bulk;
  readonly #days: Days;
  readonly #shards: Shards;
  readonly #refresher: Refresher;
  readonly #reader: LogReader;
  readonly #registry: Registry;
  readonly #appender: Appender;
  readonly #keeper: Keeper;
  readonly #acknowledged: Acknowledged;
  readonly #reach: ViewsReach;
  readonly #searcher: Searcher;
  readonly #health: HealthWatch;
  readonly #scopes: Scopes;
  readonly #pages: EventPages;
  readonly #details: EventDetails;
  readonly #lines: EventLines;
  readonly #views: ViewReader;
  readonly #boards: BoardReader;
  readonly #changed: ChangedTasks;
  readonly #statistics: Statistics;
  #closing: Promise<void> | null = null;

  constructor(connection: Connection, config: Settled, { settings, log }: OpenOptions) {
    const names = new Names(config.prefix);
    const { now, staleAfterMs, queryTimeoutMs, maxEventsPerTask } = settings;
    this.#connection = connection;
    this.#names = names;
    this.#settings = settings;
    const bulk = new Bulk(connection, config.appendTimeoutMs);
    const days = new Days(connection, names, config);
    const shards = new Shards(connection, names, now);
    const refresher = new Refresher(connection);
    const reader = new LogReader(connection, shards, refresher);
    const registry = new Registry(connection, names, days, bulk, now);
    const searcher = new Searcher(connection, queryTimeoutMs);
    const { leaseMs, readWaitMs } = config;
    this.#bulk = bulk;
    this.#days = days;
    this.#shards = shards;
    this.#refresher = refresher;
    this.#reader = reader;
    this.#registry = registry;
    this.#searcher = searcher;
    this.#keeper = new Keeper({
      ...{ connection, names, shards, reader, refresher, bulk, days, leaseMs },
      log: log ?? null,
      onLost: (shard) => this.#reach.forget(shard),
    });
    this.#acknowledged = new Acknowledged((shard) => shards.known(shard)?.history ?? null);
    this.#reach = new ViewsReach({
      ...{ names, refresher, readWaitMs },
      standing: (shard) => this.#keeper.standing(shard),
      folded: (shard, seq, ms) => this.#keeper.folded(shard, seq, ms),
    });
    this.#appender = new Appender({
      ...{ connection, names, days, registry, bulk, maxEventsPerTask },
      pace: (shards) => this.#keeper.pace(shards),
    });
    const unknownHeads = (taskId: string) => this.#headsOfUnknown(taskId);
    this.#scopes = new Scopes({
      ...{ names, days, shards, reader, registry, unknownHeads },
      acknowledged: (taskId, shard) => this.#acknowledged.of(taskId, shard),
    });
    this.#pages = new EventPages({ searcher, scopes: this.#scopes, names, days });
    this.#details = new EventDetails(searcher, this.#scopes);
    this.#lines = new EventLines(searcher, this.#scopes, this.#pages);
    const views = new ViewReader({ searcher, names, registry, now, staleAfterMs });
    this.#views = views;
    this.#boards = new BoardReader({ searcher, names, views, now, staleAfterMs });
    this.#changed = new ChangedTasks({ searcher, names, shards, keeper: this.#keeper, refresher });
    this.#statistics = new Statistics({ searcher, names, views });
    this.#health = new HealthWatch({
      connection,
      look: () => readHealth(connection, names, dayAt(now()), LOOK_MS),
      log: log ?? null,
    });
    this.#keeper.start();
    this.#health.start();
  }

  async append(events: readonly LogEvent[]): Promise<(AppendOutcome | Unsettled)[]> {
    if (events.length === 0) return [];
    const { outcomes, stored } = await this.#appender.append(events);
    for (const day of new Set(stored.map(({ position }) => parseShard(position.shard)?.day))) {
      if (day !== undefined) this.#shards.touch(day);
    }
    for (const [i, outcome] of outcomes.entries()) {
      if (!('position' in outcome) || outcome.position === null) continue;
      this.#acknowledged.note((events[i] as LogEvent).taskId, outcome.position);
    }
    this.#keeper.offer(stored);
    return outcomes;
  }

  async heads(taskId: string | null): Promise<ShardHead[]> {
    if (taskId === null) return (await this.#shards.current()).map(headOf);
    const entry = (await this.#registry.find([taskId])).get(taskId);
    if (entry === undefined) return this.#headsOfUnknown(taskId);
    const info = await this.#shard(entry.shard);
    return info === null ? [] : [headOf(info)];
  }

  async #headsOfUnknown(taskId: string): Promise<ShardHead[]> {
    const now = this.#settings.now();
    const days = new Set([dayAt(now)]);
    if (now % DAY_MS > DAY_MS - EVE_MS) days.add(dayAt(now + EVE_MS));
    const heads: ShardHead[] = [];
    for (const day of days) {
      if (!(await this.#days.ensure(day))) continue;
      const shards = (await this.#days.shardCount(day)) ?? 1;
      const info = await this.#shard(shardName(day, shardOf(taskId, shards)));
      if (info !== null) heads.push(headOf(info));
    }
    return heads;
  }

  async #shard(shard: string | null): Promise<ShardInfo | null> {
    const place = shard === null ? null : parseShard(shard);
    return place === null ? null : this.#shards.one(place.day, place.shard);
  }

  async readLog(shard: ShardCursor, to: number, filter: EventFilter | null, limit: number) {
    const none = { events: [], through: shard.seq };
    // What is already proven to be settled need not be asked for again.
    const known = this.#shards.known(shard.shard);
    const info = known !== null && known.settled >= to ? known : await this.#shard(shard.shard);
    if (info === null || info.history !== shard.history) return none;
    return this.#reader.read(info, shard.seq, Math.min(to, info.settled), filter, limit);
  }

  async checkCursors(cursors: readonly ShardCursor[]): Promise<CursorCheck[]> {
    if (cursors.length === 0) return [];
    const infos = new Map((await this.#shards.read(null)).map((info) => [info.shard, info]));
    let there: Set<string> | null = null;
    const checks: CursorCheck[] = [];
    for (const { shard, history } of cursors) {
      const place = parseShard(shard);
      const info = infos.get(shard);
      if (place === null) checks.push({ state: 'unknown' });
      else if (info !== undefined) {
        // A seq beyond what is told now may be known to another node already.
        checks.push({ state: info.history === history ? 'live' : 'unknown' });
      } else {
        there ??= await this.#shards.days();
        const finals = await this.#days.final(place.day);
        const finalSeq = finals?.[place.shard];
        // A closed index, or one without a primary: it is there, it cannot be read now.
        if (there.has(place.day)) checks.push({ state: 'live' });
        else if (finalSeq !== undefined) checks.push({ state: 'dropped', finalSeq });
        else checks.push({ state: 'unknown' });
      }
    }
    return checks;
  }

  viewsReach(positions: readonly Position[]): Promise<void> {
    return this.#reach.reach(positions);
  }

  async viewsShow(taskIds: readonly string[], searches: boolean): Promise<number> {
    const all = this.#keeper.hasFarBehind();
    const asked = all ? taskIds : taskIds.filter((id) => this.#acknowledged.mayKnow(id));
    if (asked.length === 0) return 0;
    const entries = await this.#registry.find([...new Set(asked)]);
    const wanted = new Map<string, number>();
    for (const [taskId, { shard }] of entries) {
      if (shard === null) continue;
      const seq = this.#acknowledged.of(taskId, shard);
      wanted.set(shard, Math.max(seq, wanted.get(shard) ?? 0));
    }
    const behind = await Promise.all(
      [...wanted].map(([shard, seq]) => this.#reach.forReader(shard, seq, searches)),
    );
    return Math.max(0, ...behind);
  }

  events(queries: readonly EventQuery[]) {
    return this.#pages.read(queries);
  }
  tasks(query: TaskQuery) {
    return this.#views.tasks(query);
  }

  async tasksById(ids: readonly string[]) {
    const views = await this.#views.tasksById(ids);
    const missing = ids.filter((_, i) => views[i] === null);
    if (missing.length === 0) return views;
    const known = await this.#registry.find(missing);
    const asked = [...known.keys()];
    const fresh = await readFreshTasks(this.#pages, asked);
    const found = new Map(asked.map((id, i) => [id, fresh[i] ?? null]));
    return views.map((view, i) => view ?? found.get(ids[i] as string) ?? null);
  }

  tasksChangedSince(after: readonly ShardCursor[], limit: number) {
    return this.#changed.since(after, limit);
  }
  runs(queries: readonly RunQuery[]) {
    return this.#views.runs(queries);
  }
  runsByKey(keys: readonly RunKey[]) {
    return this.#views.runsByKey(keys);
  }
  steps(queries: readonly StepQuery[]) {
    return this.#views.steps(queries);
  }
  stepsByKey(keys: readonly StepKey[]) {
    return this.#views.stepsByKey(keys);
  }
  hosts(query: HostQuery) {
    return this.#views.hosts(query);
  }
  hostsByName(names: readonly string[]) {
    return this.#views.hostsByName(names);
  }
  lastLines(keys: readonly StepKey[], count: number) {
    return this.#lines.last(keys, count);
  }
  completeness(keys: readonly RunKey[]) {
    return this.#details.completeness(keys);
  }
  reliability(hosts: readonly string[], from: number | null, to: number | null) {
    return this.#statistics.reliability(hosts, from, to);
  }
  stepStats(filter: StepFilter, groupBy: StepGroupBy) {
    return this.#statistics.steps(filter, groupBy);
  }
  failureGroups(queries: readonly { filter: StepFilter; first: number }[]) {
    return this.#statistics.failures(queries);
  }
  eventHistogram(filter: EventFilter, buckets: number) {
    return readHistogram(this.#searcher, this.#scopes, filter, buckets);
  }

  async taskStats(ids: readonly string[]) {
    const views = await this.#views.tasksById(ids);
    const entries = await this.#registry.find(ids);
    return this.#statistics.tasks(
      views.map((view) => {
        const entry = view === null ? undefined : entries.get(view.id);
        if (view === null || entry?.shard == null) return null;
        return { view, day: entry.day, shard: entry.shard };
      }),
    );
  }

  async matrices(taskIds: readonly string[]) {
    const found = await this.#snapshots(taskIds);
    const tasks = await this.#views.tasksById(taskIds);
    const asked = taskIds.flatMap((id, i) => {
      const [snapshot, task] = [found.get(id), tasks[i]];
      return snapshot === undefined || task == null ? [] : [{ i, ...snapshot, task }];
    });
    const matrices = await this.#boards.matrices(asked);
    const answers: MatrixAnswer[] = taskIds.map(() => null);
    for (const [n, { i, at }] of asked.entries()) {
      answers[i] = { matrix: matrices[n] as TaskMatrix, at };
    }
    return answers;
  }

  async board(taskId: string) {
    const found = (await this.#snapshots([taskId])).get(taskId);
    return found === undefined ? null : this.#boards.board(found.entry, found.at);
  }

  /** Where the views of the tasks' shards stand; searches from now on see at least that. */
  async #snapshots(taskIds: readonly string[]) {
    const entries = await this.#registry.find([...new Set(taskIds)]);
    const names = new Set([...entries.values()].map(({ shard }) => shard));
    const infos = new Map<string, ShardInfo>();
    for (const info of await Promise.all([...names].map((name) => this.#shard(name)))) {
      if (info !== null) infos.set(info.shard, info);
    }
    const positions = await this.#keeper.positions([...infos.values()]);
    const days = new Set([...infos.values()].map(({ day }) => day));
    await Promise.all([...days].map((day) => this.#refresher.refresh(this.#names.views(day))));
    const found = new Map<string, { entry: Registered; at: ShardCursor[] }>();
    for (const [taskId, entry] of entries) {
      const info = entry.shard === null ? undefined : infos.get(entry.shard);
      if (info === undefined) continue;
      const { shard, history } = info;
      found.set(taskId, { entry, at: [{ shard, history, seq: positions.get(shard) ?? 0 }] });
    }
    return found;
  }

  async eventCount(): Promise<number> {
    return (await this.#shards.current()).reduce((sum, { seq }) => sum + seq, 0);
  }

  async idleTasks(before: number, limit: number) {
    return this.#changed.idle(before, limit);
  }

  applyRetention() {
    return applyRetention({
      connection: this.#connection,
      bulk: this.#bulk,
      searcher: this.#searcher,
      names: this.#names,
      days: this.#days,
      shards: this.#shards,
      retentionDays: this.#settings.retentionDays,
      now: this.#settings.now,
      settle: (infos) => this.#reach.reach(infos.map(({ shard, seq }) => ({ shard, seq }))),
      forget: (day) => {
        this.#keeper.forget(day);
        this.#acknowledged.forget(day);
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
    return this.#health.now();
  }

  rebuild(onProgress: (done: number, total: number) => void) {
    return this.#keeper.rebuild(onProgress);
  }

  metrics(): Record<string, number> {
    const retries = [...this.#bulk.retries.values()].reduce((sum, count) => sum + count, 0);
    return {
      views_lag_events: this.#keeper.lag(),
      appends_paced_total: this.#keeper.paced,
      view_documents_written_total: this.#keeper.written,
      views_set_aside_total: this.#keeper.aside.count,
      bulk_retries_total: retries,
      log_short_reads_total: this.#reader.shortReads,
      log_noops_total: this.#reader.noops,
      refreshes_total: this.#refresher.count,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** A cluster that hangs must not keep the process: its leases run out by themselves. */
  async #close(): Promise<void> {
    this.#health.close();
    const given = new AbortController();
    const released = this.#keeper.close().catch(() => undefined);
    const patience = setTimeout(CLOSE_MAX_MS, undefined, { signal: given.signal });
    await Promise.race([released, patience.catch(() => undefined)]);
    given.abort();
    await this.#connection.close();
  }
}
