/** Why a well-formed event was REJECTED by the log: the same words from every engine. */
import type { InputProblem } from '../errors.ts';
import type { LogEvent } from './event.ts';

/**
 * Beyond the cap of a task there is room for so many events about the task itself, or a full
 * one could never be finished.
 */
const ROOM_TO_FINISH = 1_000;

export function capFor({ kind }: Pick<LogEvent, 'kind'>, maxEventsPerTask: number): number {
  return kind === 'TASK' ? maxEventsPerTask + ROOM_TO_FINISH : maxEventsPerTask;
}

export function taskFull({ taskId }: LogEvent, maxEventsPerTask: number): InputProblem {
  const message = `task "${taskId}" has reached the cap of ${maxEventsPerTask} events`;
  return { code: 'TASK_FULL', message, field: 'taskId' };
}

export function taskExpired({ taskId }: LogEvent): InputProblem {
  const message = `task "${taskId}" was removed by retention; it takes no more events`;
  return { code: 'TASK_EXPIRED', message, field: 'taskId' };
}

export function idConflict({ eventId, taskId }: LogEvent): InputProblem {
  const message = `eventId "${eventId}" was used before in task "${taskId}", with other content`;
  return { code: 'ID_CONFLICT', message, field: 'eventId' };
}
