/** The parts of the engine, and which of them knows which. */
import type { ViewSettings } from '../store.ts';
import { Bulk } from './cluster/bulk.ts';
import type { ResolvedConfig } from './cluster/config.ts';
import type { Connection } from './cluster/connection.ts';
import { Refresher } from './cluster/refresher.ts';
import { Searcher } from './cluster/searcher.ts';
import type { StoreLog } from './cluster/store-log.ts';
import { readHealth } from './health/health.ts';
import { HealthWatch, LOOK_MS } from './health/health-watch.ts';
import { Days } from './indices/days.ts';
import { dayAt, Names } from './indices/names.ts';
import { Shards } from './indices/shards.ts';
import { Registry } from './indices/task-registry.ts';
import { Keeper } from './keeper/keeper.ts';
import { OwnWrites } from './keeper/own-writes.ts';
import { ViewsReach } from './keeper/views-reach.ts';
import { Acknowledged } from './log/acknowledged.ts';
import { Appender } from './log/append.ts';
import { CompletenessReader } from './log/completeness.ts';
import { EventLines } from './log/event-lines.ts';
import { EventPages } from './log/event-pages.ts';
import { Scopes } from './log/event-scope.ts';
import { Heads } from './log/heads.ts';
import { LogReader } from './log/log-reader.ts';
import { BoardReader } from './views/board-reader.ts';
import { ChangedTasks } from './views/changed-tasks.ts';
import { KnownTasks } from './views/known-tasks.ts';
import { Snapshots } from './views/snapshots.ts';
import { Statistics } from './views/statistics.ts';
import { TaskLists } from './views/task-lists.ts';
import { ViewReader } from './views/view-reader.ts';

export interface PartsOptions {
  settings: ViewSettings;
  log?: StoreLog;
}

export type Parts = ReturnType<typeof partsOf>;

export function partsOf(connection: Connection, config: ResolvedConfig, options: PartsOptions) {
  const { settings, log = null } = options;
  const { now, staleAfterMs, queryTimeoutMs, maxEventsPerTask } = settings;
  const { leaseMs, readWaitMs, pendingBytes, stateBytes, lagMax } = config;
  const names = new Names(config.prefix);
  const bulk = new Bulk(connection, config.appendTimeoutMs);
  const days = new Days(connection, names, config);
  const shards = new Shards(connection, names, now);
  const refresher = new Refresher(connection);
  const searcher = new Searcher(connection, queryTimeoutMs);
  const registry = new Registry(connection, names, days, bulk, now);

  const reader = new LogReader(connection, shards, refresher);
  const heads = new Heads({ days, shards, registry, now });
  const acknowledged = new Acknowledged((shard) => shards.known(shard)?.history ?? null);
  const keeper = new Keeper({
    ...{ connection, names, shards, reader, refresher, bulk, days, leaseMs, pendingBytes, log },
    ...{ stateBytes, lagMax },
    onLost: (shard) => reach.forget(shard),
  });
  const { positions, pacing, aside } = keeper;
  const reach = new ViewsReach({
    ...{ names, shards, refresher, readWaitMs, lagMax, positions, keeper },
  });
  const ownWrites = new OwnWrites({ registry, acknowledged, positions, reach });
  const appender = new Appender({
    ...{ connection, names, days, registry, bulk, refresher, maxEventsPerTask },
    pace: (shards) => pacing.pace(shards),
  });

  const scopes = new Scopes({ names, days, shards, reader, registry, heads, acknowledged });
  const pages = new EventPages({ searcher, scopes, names, days });
  const completeness = new CompletenessReader(searcher, scopes);
  const lines = new EventLines(searcher, scopes, pages);

  const views = new ViewReader({
    ...{ searcher, names, registry, now, staleAfterMs, aside },
    unstored: (shard, id) => keeper.unstored(shard, id),
  });
  const boards = new BoardReader({ searcher, names, views, now, staleAfterMs, aside });
  const statistics = new Statistics({ searcher, names, views });
  const own = ownWrites;
  const tasks = new KnownTasks({ registry, pages, views, statistics, own, now, staleAfterMs });
  const lists = new TaskLists({ registry, own, views, statistics });
  const changed = new ChangedTasks({ searcher, names, shards, positions, refresher, aside });
  const snapshots = new Snapshots({ shards, registry, positions, reach, own, views, boards });

  const health = new HealthWatch({
    connection,
    look: () => readHealth(connection, names, dayAt(now()), LOOK_MS),
    log,
  });

  return {
    ...{ connection, names, bulk, days, shards, refresher, searcher, reader, heads },
    ...{ acknowledged, keeper, reach, ownWrites, appender, scopes, pages, completeness, lines },
    ...{ views, statistics, tasks, lists, changed, snapshots, health },
  };
}
