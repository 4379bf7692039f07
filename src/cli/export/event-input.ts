/** A stored event as the line that it was, or could have been: `import` and `send` take it back. */
import { defaultLevel } from '../../domain/event/input.ts';
import type { ExportEventsQuery } from '../gen/graphql.ts';

export type ExportedEvent = ExportEventsQuery['events']['nodes'][number];

/** Only what was said; what the server adds by itself it will add again. */
export function eventInput(event: ExportedEvent): Record<string, unknown> {
  const { eventId, taskId, at, taskChange } = event;
  if (taskChange !== null) return { taskId, eventId, at, task: taskChange };
  const { hostName: host, step, attempt, status, level, labels, progress, error } = event;
  const said = {
    taskId,
    eventId,
    host,
    step,
    at,
    attempt: attempt === 1 ? null : attempt,
    status,
    level: level === defaultLevel(status) ? null : level,
    stream: event.stream,
    message: event.message,
    command: event.command,
    params: event.params,
    exitCode: event.exitCode,
    durationMs: event.durationMs,
    progress,
    error,
    writer: event.writer,
    sequence: event.sequence,
    source: event.source,
    labels: Object.keys(labels).length === 0 ? null : labels,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null));
}
