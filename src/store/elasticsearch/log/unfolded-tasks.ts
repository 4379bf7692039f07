/**
 * Tasks whose first events are in the log and not folded yet: shown from the log itself, so that
 * whoever was told that an event is stored also finds its task.
 */
import type { StoredEvent } from '../../../domain/event/event.ts';
import {
  baseRunStatus,
  deriveTask,
  emptyRun,
  emptyTask,
  foldRun,
  foldTask,
  moveRun,
  NO_RUNS,
  planOf,
  type RunState,
} from '../../../domain/fold/fold.ts';
import type { TaskView } from '../../../domain/fold/views.ts';
import type { EventPages } from './event-pages.ts';

/** Events that are read of one task: what is not folded yet began a moment ago, and has few. */
const EVENTS = 200;

/** In the order of the question; null: there is no event of it. */
export async function readFreshTasks(
  pages: EventPages,
  ids: readonly string[],
): Promise<(TaskView | null)[]> {
  const found = await pages.read(
    ids.map((taskId) => ({
      filter: { taskId },
      order: 'LOG' as const,
      page: {
        ...{ limit: EVENTS, backward: false, withTotal: false },
        ...{ after: null, before: null, around: null },
      },
    })),
  );
  return found.map(({ rows }, i) =>
    rows.length === 0
      ? null
      : taskOf(
          ids[i] as string,
          rows.map(({ node }) => node),
        ),
  );
}

function taskOf(id: string, events: readonly StoredEvent[]): TaskView {
  const task = events.reduce(foldTask, emptyTask(id));
  const runs = new Map<string, RunState>();
  for (const host of task.hosts?.value ?? []) runs.set(host, emptyRun(id, host));
  for (const event of events) {
    if (event.host === null) continue;
    runs.set(event.host, foldRun(runs.get(event.host) ?? emptyRun(id, event.host), event));
  }
  const plan = planOf(task);
  const totals = [...runs.values()].reduce(
    (sum, run) => moveRun(sum, null, baseRunStatus(run, plan)),
    { ...NO_RUNS },
  );
  return deriveTask(task, totals);
}
