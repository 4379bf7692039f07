/** What a log means, computed in memory: what every engine's answers are held against. */
import type { RunStatus, StoredEvent } from '../../src/domain/event/event.ts';
import {
  baseRunStatus,
  deriveHost,
  deriveRun,
  deriveTask,
  emptyRun,
  emptyTask,
  foldHost,
  foldRun,
  foldTask,
  type HostState,
  isOver,
  moveRun,
  NO_RUNS,
  planOf,
  type RunState,
  type TaskState,
} from '../../src/domain/fold/fold.ts';
import type { HostView, RunView, StepView, TaskView } from '../../src/domain/fold/views.ts';
import { type SearchQuery, taskSearchTerms } from '../../src/domain/search/search.ts';
import { wordsOf } from '../../src/domain/search/words.ts';

export interface FoldedLog {
  tasks: TaskView[];
  runs: RunView[];
  steps: StepView[];
  hosts: HostView[];
}

export function foldLog(events: readonly StoredEvent[]): FoldedLog {
  const byTask = Map.groupBy(events, ({ taskId }) => taskId);
  const folded = [...byTask].map(([taskId, own]) => foldOne(taskId, own));
  const runs = folded.flatMap((task) => task.runs);
  const hosts = new Map<string, HostState | null>();
  for (const event of events) {
    if (event.host !== null) hosts.set(event.host, foldHost(hosts.get(event.host) ?? null, event));
  }
  return {
    tasks: folded.map(({ task }) => task),
    runs,
    steps: runs.flatMap(({ steps }) => steps),
    hosts: [...hosts.values()].filter((host) => host !== null).map(deriveHost),
  };
}

function foldOne(
  taskId: string,
  events: readonly StoredEvent[],
): { task: TaskView; runs: RunView[] } {
  const task = events.reduce<TaskState>(foldTask, emptyTask(taskId));
  const states = new Map<string, RunState>();
  for (const host of task.hosts?.value ?? []) states.set(host, emptyRun(taskId, host));
  for (const event of events) {
    if (event.host === null) continue;
    const state = states.get(event.host) ?? emptyRun(taskId, event.host);
    states.set(event.host, foldRun(state, event));
  }
  const statuses = [...states.values()].map(
    (state): RunStatus => baseRunStatus(state, planOf(task)),
  );
  const totals = statuses.reduce((sum, status) => moveRun(sum, null, status), NO_RUNS);
  const over = isOver(task, totals);
  const runs = [...states.values()].map((state) => deriveRun(state, task, over));
  const ends = runs.map(({ finishedAt }) => finishedAt ?? -Infinity);
  const lastFinishedAt = Math.max(-Infinity, ...ends);
  return {
    task: deriveTask(task, {
      ...totals,
      lastFinishedAt: Number.isFinite(lastFinishedAt) ? lastFinishedAt : null,
    }),
    runs,
  };
}

/** Whether every term of a search over tasks holds over a task's texts. */
export function matchesTaskSearch(query: SearchQuery, texts: readonly (string | null)[]): boolean {
  const plain = texts.flatMap((text) => (text === null ? [] : `|${wordsOf(text).join('|')}|`));
  return taskSearchTerms(query).every(({ words, prefix, negated }) => {
    const wanted = `|${words.join('|')}${prefix ? '' : '|'}`;
    return (words.length > 0 && plain.some((own) => own.includes(wanted))) !== negated;
  });
}
