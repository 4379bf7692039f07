/**
 * What a task said of itself that its events are stamped with: how it is folded from events, and how
 * what several servers know of it is joined.
 */
import { z } from 'zod';
import { foldTime, type LogEvent } from '../../../domain/event/event.ts';
import { latest, type Register } from '../../../domain/fold/joins.ts';

/** What startTask said of a task that its events are stamped with, as its fold has it. */
export interface Said {
  service: Register<string> | null;
  environment: Register<string> | null;
  /** Counted up where it was told anew from the log: nothing of a lower number is joined with it. */
  restated: number;
}

const REGISTER = z.object({ value: z.string(), t: z.number(), by: z.string() }).nullable();
const SAID = z.object({
  service: REGISTER,
  environment: REGISTER,
  restated: z.int().nonnegative().default(0),
});
export const NOTHING_SAID: Said = { service: null, environment: null, restated: 0 };

/** What cannot be read is taken for nothing: it must keep no event of any task away. */
export function saidIn(text: string): Said {
  try {
    return SAID.parse(JSON.parse(text));
  } catch {
    return NOTHING_SAID;
  }
}

/** Folds what a task says of itself as `foldTask` does. */
export function foldSaid(said: Said, event: LogEvent): Said {
  if (event.task === null) return said;
  const t = foldTime(event);
  const service = latest(said.service, event.task.service, t, event.eventId);
  const environment = latest(said.environment, event.task.environment, t, event.eventId);
  const isSame = service === said.service && environment === said.environment;
  return isSame ? said : { ...said, service, environment };
}

/** Whether events of its task may be stamped with what it says. */
export function saysSomething({ task }: LogEvent): boolean {
  return task !== null && (task.service !== null || task.environment !== null);
}

/** Whether its task is to be stamped differently for what this event says. */
export function saysMore(said: Said, event: LogEvent): boolean {
  return foldSaid(said, event) !== said;
}

/** The first where the second says nothing newer. */
export function joined(a: Said, b: Said): Said {
  if (a.restated !== b.restated) return a.restated > b.restated ? a : b;
  const join = (one: Register<string> | null, other: Register<string> | null) =>
    other === null ? one : latest(one, other.value, other.t, other.by);
  const [service, environment] = [join(a.service, b.service), join(a.environment, b.environment)];
  const isSame = service === a.service && environment === a.environment;
  return isSame ? a : { ...a, service, environment };
}
