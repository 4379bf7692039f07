import type { LogEvent, StoredEvent } from '../../src/domain/event/event.ts';
import {
  deriveRun,
  emptyRun,
  emptyTask,
  foldRun,
  foldTask,
  type RunState,
  type TaskState,
} from '../../src/domain/fold/fold.ts';
import { anEvent } from '../store/events.ts';

export const T0 = Date.UTC(2026, 0, 1);

let counter = 0;
export function event(fields: Partial<LogEvent> = {}, seq = ++counter): StoredEvent {
  const eventId = fields.eventId ?? `e${seq}`;
  const at = fields.at ?? T0 + seq;
  return {
    ...anEvent({
      ...{ id: eventId, eventId, digest: '', taskId: 't', at, receivedAt: at },
      kind: fields.task ? 'TASK' : fields.status ? 'STEP' : 'OUTPUT',
      ...(fields.task ? { host: null, step: null, attempt: null } : { host: 'h' }),
      ...fields,
    }),
    position: { shard: '0', seq },
  };
}

export const SAYS_NOTHING = {
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
  idleSince: null,
};
export function began(
  said: Partial<NonNullable<LogEvent['task']>>,
  fields: Partial<LogEvent> = {},
) {
  return event({ ...fields, task: { change: 'began', ...SAYS_NOTHING, ...said } });
}
export function ended(
  said: Partial<NonNullable<LogEvent['task']>>,
  fields: Partial<LogEvent> = {},
) {
  return event({ ...fields, task: { change: 'ended', ...SAYS_NOTHING, ...said } });
}

export function run(events: StoredEvent[]): RunState {
  return events.reduce(foldRun, emptyRun('t', 'h'));
}
export function task(events: StoredEvent[]): TaskState {
  return events.reduce(foldTask, emptyTask('t'));
}
export function shownRun(events: StoredEvent[], over = false) {
  return deriveRun(run(events), task(events), over);
}
export function stepOf(events: StoredEvent[], name = 'backup') {
  return shownRun(events).steps.find((step) => step.name === name);
}
