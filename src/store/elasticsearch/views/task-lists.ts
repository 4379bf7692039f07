/**
 * Pages of runs and steps, and causes of failures. Of a task of which searches do not show all that
 * was acknowledged they are made of its runs in memory, where it is there and not too large. Of a
 * larger one, pages are made of those that searches may not show as they are, and of what is found
 * besides them.
 */
import type { Page } from '../../../domain/cursor/page.ts';
import {
  compareFailed,
  type FailedStep,
  failureGroup,
  groupFailures,
} from '../../../domain/fold/failure-groups.ts';
import type { FailureGroup, RunView, StepView } from '../../../domain/fold/views.ts';
import type { RunQuery, StepQuery } from '../../store.ts';
import type { Registry } from '../indices/task-registry.ts';
import type { HeldFor, HeldRuns } from '../keeper/held-runs.ts';
import type { OwnWrites } from '../keeper/own-writes.ts';
import { runFields, stepFields } from '../keeper/view-documents.ts';
import { type Candidate, pageInMemory, predicateOf } from '../query/memory-search.ts';
import { runList, stepList, stepQuery } from '../query/view-query.ts';
import { runsOf } from './derived-runs.ts';
import type { FailureQuery } from './failure-groups.ts';
import type { Overlay } from './page-reader.ts';
import type { Statistics } from './statistics.ts';
import type { Overlays, ViewReader } from './view-reader.ts';

export interface TaskListsParts {
  registry: Registry;
  own: Pick<OwnWrites, 'held'>;
  views: ViewReader;
  statistics: Statistics;
}

interface Asked {
  filter: { taskId?: string };
}

export class TaskLists {
  readonly #parts: TaskListsParts;

  constructor(parts: TaskListsParts) {
    this.#parts = parts;
  }

  runs(queries: readonly RunQuery[]): Promise<Page<RunView>[]> {
    const { views } = this.#parts;
    return this.#answer<RunQuery, RunView, Page<RunView>>(queries, {
      to: 'BY_PAGE',
      candidatesOf: (runs) => runs.map((node) => ({ fields: runFields(node), node })),
      list: (query, runs) => pageInMemory(runList(query, views.staleBefore), query.page, runs),
      search: (others, overlays) => views.runs(others, overlays),
    });
  }

  steps(queries: readonly StepQuery[]): Promise<Page<StepView>[]> {
    return this.#answer<StepQuery, StepView, Page<StepView>>(queries, {
      to: 'BY_PAGE',
      candidatesOf: stepsOf,
      list: (query, steps) => pageInMemory(stepList(query), query.page, steps),
      search: (others, overlays) => this.#parts.views.steps(others, overlays),
    });
  }

  failures(queries: readonly FailureQuery[]): Promise<FailureGroup[][]> {
    return this.#answer<FailureQuery, StepView, FailureGroup[]>(queries, {
      to: 'BY_TASK',
      candidatesOf: stepsOf,
      list: causesIn,
      search: (others) => this.#parts.statistics.failures(others),
    });
  }

  async #answer<Q extends Asked, T, A>(queries: readonly Q[], ways: Ways<Q, T, A>): Promise<A[]> {
    const known = new Map<string | undefined, Candidate<T>[]>();
    const overlays = new Map<string | undefined, Overlay<T>>();
    for (const [taskId, { hosts, runs }] of await this.#inMemory(queries, ways.to)) {
      const candidates = ways.candidatesOf(runs);
      if (hosts === null) known.set(taskId, candidates);
      else overlays.set(taskId, { hosts, candidates });
    }
    const others = queries.filter(({ filter }) => !known.has(filter.taskId));
    const found = others.length === 0 ? [] : await ways.search(others, overlays);
    let next = 0;
    return queries.map((query) => {
      const candidates = known.get(query.filter.taskId);
      return candidates === undefined ? (found[next++] as A) : ways.list(query, candidates);
    });
  }

  /** The runs of tasks that are answered from memory, or those that are on some of their hosts. */
  async #inMemory(queries: readonly Asked[], to: HeldFor): Promise<Map<string, Held>> {
    const { registry, own } = this.#parts;
    const ids = new Set(queries.flatMap(({ filter }) => filter.taskId ?? []));
    const known = new Map<string, Held>();
    if (ids.size === 0) return known;
    await Promise.all(
      [...(await registry.find([...ids])).values()].map(async (entry) => {
        const held = await own.held(entry, to);
        if (held === null) return;
        known.set(entry.taskId, { hosts: held.hosts, runs: await runsOf(held) });
      }),
    );
    return known;
  }
}

/** How queries are answered from a task's runs, and how the others are. */
interface Ways<Q, T, A> {
  to: HeldFor;
  candidatesOf: (runs: readonly RunView[]) => Candidate<T>[];
  list: (query: Q, candidates: readonly Candidate<T>[]) => A;
  search: (queries: readonly Q[], overlays: Overlays<T>) => Promise<A[]>;
}

interface Held {
  hosts: HeldRuns['hosts'];
  runs: RunView[];
}

function stepsOf(runs: readonly RunView[]): Candidate<StepView>[] {
  return runs.flatMap(({ steps }) => steps.map((node) => ({ fields: stepFields(node), node })));
}

export function causesIn(
  { filter, first }: FailureQuery,
  steps: readonly Candidate<StepView>[],
): FailureGroup[] {
  const matches = predicateOf(stepQuery(filter));
  const found = new Map<FailedStep, StepView>();
  for (const { fields, node } of steps) {
    const failed = failedStep(node);
    if (failed !== null && matches(fields)) found.set(failed, node);
  }
  return groupFailures([...found.keys()].sort(compareFailed), first).map((group) =>
    failureGroup(group, found.get(group.newest) as StepView),
  );
}

function failedStep({ taskId, host, name, failure, finishedAt, startedAt }: StepView) {
  const at = finishedAt ?? startedAt;
  if (failure === null || at === null) return null;
  return { fingerprint: failure.fingerprint, taskId, host, step: name, at };
}
