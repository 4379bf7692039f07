/**
 * Ends tasks that nobody finished: a mark in the log, so that every server and every rebuild sees
 * the same. The mark's identity is the task's last event, so servers that race write one; the
 * fold forgets it as soon as the task speaks again.
 */

import type { LogEvent } from '../domain/event.ts';
import { eventIdentity } from '../domain/identity.ts';
import { guarded } from '../guarded.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { Ingest } from './ingest.ts';

const TASKS_PER_SWEEP = 500;

export interface IdleOptions {
  store: Store;
  ingest: Ingest;
  idleAfterMs: number;
  now: () => number;
  log: Log;
}

/** Marks the tasks that are idle now; answers how many. */
export async function markIdleTasks({
  store,
  ingest,
  idleAfterMs,
  now,
}: IdleOptions): Promise<number> {
  const idle = await store.idleTasks(now() - idleAfterMs, TASKS_PER_SWEEP);
  if (idle.length === 0) return 0;
  await ingest.submit(idle.map((task) => idleMark(task.taskId, task.lastEventAt, now())));
  return idle.length;
}

/** Sweeps every tenth of the idle time, at least once a minute; answers how to stop. */
export function startIdleSweeper(options: IdleOptions): () => void {
  const every = Math.min(60_000, Math.max(200, options.idleAfterMs / 10));
  const sweep = guarded(options.log, 'marking idle tasks', async () => {
    await markIdleTasks(options);
  });
  const timer = setInterval(sweep, every).unref();
  return () => clearInterval(timer);
}

function idleMark(taskId: string, idleSince: number, now: number): LogEvent {
  const eventId = `idle-${idleSince}`;
  return {
    id: eventIdentity(taskId, eventId),
    eventId,
    digest: eventId,
    kind: 'TASK',
    taskId,
    host: null,
    step: null,
    attempt: null,
    status: null,
    at: now,
    receivedAt: now,
    writer: null,
    sequence: null,
    service: null,
    environment: null,
    message: 'task is idle: nothing was reported for a long time',
    level: 'WARN',
    stream: null,
    command: null,
    params: null,
    exitCode: null,
    durationMs: null,
    progress: null,
    error: null,
    source: 'shiplog',
    labels: {},
    task: {
      change: 'idle',
      service: null,
      version: null,
      environment: null,
      title: null,
      createdBy: null,
      plan: null,
      hosts: null,
      expectedHosts: null,
      labels: null,
      status: null,
      message: null,
      idleSince,
    },
  };
}
