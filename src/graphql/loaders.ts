/**
 * One store call for what a page of a list asks for each of its rows. Keys are names or whole
 * queries; equal ones are asked once. Made per operation, when first used (see `context.ts`).
 */
import DataLoader from 'dataloader';
import { ANSWER_MAX, tooHeavyLines } from '../domain/answer-bounds.ts';
import type { Page } from '../domain/cursor/page.ts';
import type { StoredEvent } from '../domain/event/event.ts';
import { approximateBytes } from '../domain/event/event-weight.ts';
import type {
  Completeness,
  FailureGroup,
  HostReliability,
  HostView,
  RunView,
  StepView,
  TaskStats,
  TaskView,
} from '../domain/fold/views.ts';
import type { StepFilter } from '../domain/search/filter.ts';
import type {
  EventPage,
  EventQuery,
  MatrixAnswer,
  RunKey,
  RunQuery,
  StepKey,
  StepQuery,
  Store,
} from '../store/store.ts';
import type { FreshReads } from './fresh-reads.ts';

export interface ReliabilityKey {
  host: string;
  from: number | null;
  to: number | null;
}
/** A step, and how many of its last lines are asked for. */
export interface LinesKey extends StepKey {
  count: number;
}
export interface FailureQuery {
  filter: StepFilter;
  first: number;
}

type Loader<K, V> = DataLoader<K, V, string>;

/** Rows of one store call: the widest page of nested lists has this many. */
const BATCH_MAX = 1_000;

function loader<K, V>(load: (keys: readonly K[]) => Promise<V[]>): Loader<K, V> {
  return new DataLoader<K, V, string>(load, {
    cacheKeyFn: (key) => (typeof key === 'string' ? key : JSON.stringify(key)),
    maxBatchSize: BATCH_MAX,
  });
}

/** Rows that differ in an argument of the call as a whole: one call for each value of it. */
async function grouped<K, V>(
  keys: readonly K[],
  groupOf: (key: K) => string,
  load: (group: readonly K[]) => Promise<V[]>,
): Promise<V[]> {
  const groups = Map.groupBy(keys.entries(), ([, key]) => groupOf(key));
  const found = new Array<V>(keys.length);
  await Promise.all(
    groups.values().map(async (group) => {
      const values = await load(group.map(([, key]) => key));
      for (const [k, [index]] of group.entries()) found[index] = values[k] as V;
    }),
  );
  return found;
}

export class Loaders {
  readonly #store: Store;
  readonly #reads: FreshReads;
  constructor(store: Store, reads: FreshReads) {
    this.#store = store;
    this.#reads = reads;
  }

  readonly task: Loader<string, TaskView | null> = loader((ids) => this.#reads.tasksById(ids));
  readonly taskStats: Loader<string, TaskStats> = loader((ids) => this.#reads.taskStats(ids));
  readonly matrix: Loader<string, MatrixAnswer> = loader((ids) => this.#reads.matrices(ids));
  readonly run: Loader<RunKey, RunView | null> = loader((keys) => this.#reads.runsByKey(keys));
  readonly step: Loader<StepKey, StepView | null> = loader((keys) => this.#reads.stepsByKey(keys));
  readonly host: Loader<string, HostView | null> = loader((names) =>
    this.#store.hostsByName(names),
  );
  readonly runs: Loader<RunQuery, Page<RunView>> = loader((queries) => this.#reads.runs(queries));
  readonly steps: Loader<StepQuery, Page<StepView>> = loader((queries) =>
    this.#reads.steps(queries),
  );
  readonly events: Loader<EventQuery, EventPage> = loader((queries) => this.#store.events(queries));
  readonly completeness: Loader<RunKey, Completeness> = loader((keys) =>
    this.#store.completeness(keys),
  );
  readonly failureGroups: Loader<FailureQuery, FailureGroup[]> = loader((queries) =>
    this.#reads.failureGroups(queries),
  );
  readonly lastLines: Loader<LinesKey, StoredEvent[]> = loader((keys) => this.#lastLines(keys));
  readonly reliability: Loader<ReliabilityKey, HostReliability> = loader((keys) =>
    grouped(
      keys,
      ({ from, to }) => `${from} ${to}`,
      (group) =>
        this.#store.reliability(
          group.map(({ host }) => host),
          group[0]?.from ?? null,
          group[0]?.to ?? null,
        ),
    ),
  );

  /** One after another, for each call may bring as much as all of them together may be. */
  async #lastLines(keys: readonly LinesKey[]): Promise<StoredEvent[][]> {
    let left = ANSWER_MAX;
    let turn = Promise.resolve();
    return grouped(
      keys,
      ({ count }) => String(count),
      (group) => {
        const lines = turn.then(async () => {
          if (left < 0) throw tooHeavyLines();
          const found = await this.#store.lastLines(group, group[0]?.count ?? 0);
          for (const event of found.flat()) left -= approximateBytes(event);
          return found;
        });
        turn = lines.then(
          () => {},
          () => {
            left = -1;
          },
        );
        return lines;
      },
    );
  }
}
