/**
 * Ends tasks that nobody finished: a mark in the log, so that every server and every rebuild sees
 * the same. The mark's identity is the task's last event, so servers that race write one; the
 * fold forgets it as soon as the task speaks again.
 */

import type { LogEvent } from '../domain/event/event.ts';
import { NOTHING_SAID, taskEvent } from '../domain/event/task-input.ts';
import { every } from '../guarded.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { Ingest } from './ingest.ts';

const TASKS_PER_SWEEP = 500;
/**
 * How many tasks whose mark was refused (the task is full, the id is taken) are remembered and
 * passed over.
 */
const REFUSED_MAX = 10_000;

/** The last event of a task whose mark was refused, by task: it is not asked for again. */
export type RefusedMarks = Map<string, number>;

export interface IdleOptions {
  store: Store;
  ingest: Ingest;
  idleAfterMs: number;
  now: () => number;
  log: Log;
}

/** Marks the tasks that are idle now; answers how many. `refused` is what earlier sweeps met. */
export async function markIdleTasks(
  { store, ingest, idleAfterMs, now }: IdleOptions,
  refused: RefusedMarks = new Map(),
): Promise<number> {
  // Refused ones stay the oldest, so they would fill every sweep for ever: more are asked for.
  const found = await store.idleTasks(now() - idleAfterMs, TASKS_PER_SWEEP + refused.size);
  const idle = found
    .filter(({ taskId, lastEventAt }) => refused.get(taskId) !== lastEventAt)
    .slice(0, TASKS_PER_SWEEP);
  if (idle.length === 0) return 0;
  const marks = idle.map((task) => idleMark(task.taskId, task.lastEventAt, now()));
  const outcomes = await ingest.submit(marks);
  for (const [i, { taskId, lastEventAt }] of idle.entries()) {
    if (outcomes[i]?.outcome !== 'REJECTED') continue;
    refused.delete(taskId);
    refused.set(taskId, lastEventAt);
  }
  for (const taskId of refused.keys()) {
    if (refused.size <= REFUSED_MAX) break;
    refused.delete(taskId);
  }
  return outcomes.filter(({ outcome }) => outcome !== 'REJECTED').length;
}

/** Sweeps every tenth of the idle time, at least once a minute; answers how to stop. */
export function startIdleSweeper(options: IdleOptions): () => void {
  const pause = Math.min(60_000, Math.max(200, options.idleAfterMs / 10));
  const refused: RefusedMarks = new Map();
  const timer = every(pause, options.log, 'marking idle tasks', async () => {
    await markIdleTasks(options, refused);
  });
  return () => clearInterval(timer);
}

function idleMark(taskId: string, idleSince: number, now: number): LogEvent {
  const { event } = taskEvent({
    taskId,
    eventId: `idle-${idleSince}`,
    change: { ...NOTHING_SAID, change: 'idle', idleSince },
    at: { said: null, at: now, replaced: false },
    receivedAt: now,
  });
  return event;
}
