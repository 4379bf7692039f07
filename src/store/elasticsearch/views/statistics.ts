/** What is computed of views, by one file each: the parts that they need in common. */
import type {
  FailureGroup,
  HostReliability,
  StepStats,
  TaskStats,
} from '../../../domain/fold/views.ts';
import type { StepFilter } from '../../../domain/search/filter.ts';
import type { StepGroupBy } from '../../store.ts';
import type { Searcher } from '../cluster/searcher.ts';
import type { Names } from '../indices/names.ts';
import { type FailureQuery, readFailureGroups } from './failure-groups.ts';
import { readReliability } from './host-reliability.ts';
import { readStepStats } from './step-stats.ts';
import { readTaskStats, type TaskPlace } from './task-stats.ts';
import type { ViewReader } from './view-reader.ts';

export interface StatisticsParts {
  searcher: Searcher;
  names: Names;
  views: ViewReader;
}

export class Statistics {
  readonly #parts: StatisticsParts;

  constructor(parts: StatisticsParts) {
    this.#parts = parts;
  }

  /** `tasks` in the order of the question; null where there is no such task. */
  tasks(tasks: readonly (TaskPlace | null)[]): Promise<TaskStats[]> {
    return readTaskStats(this.#parts, tasks);
  }

  /** The largest groups first. */
  steps(filter: StepFilter, groupBy: StepGroupBy): Promise<StepStats[]> {
    return readStepStats(this.#parts, filter, groupBy);
  }

  failures(queries: readonly FailureQuery[]): Promise<FailureGroup[][]> {
    return readFailureGroups(this.#parts, queries);
  }

  /** Counts the runs that began in [from, to). */
  reliability(
    hosts: readonly string[],
    from: number | null,
    to: number | null,
  ): Promise<HostReliability[]> {
    return readReliability(this.#parts, hosts, from, to);
  }
}
