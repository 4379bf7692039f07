/** Believable events to load with: a simulated fleet, as senders send it and as engines take it. */
import type { StepEventInput } from '../src/cli/gen/graphql.ts';
import { fleetEvents } from '../src/cli/simulate/fleet.ts';
import { planFleet } from '../src/cli/simulate/plan.ts';
import type { LogEvent } from '../src/domain/event/event.ts';
import { parseStepEvent } from '../src/domain/event/input.ts';

export interface FleetSize {
  taskId: string;
  hosts: number;
  /** Output lines of a step, in the median. */
  lines: number;
  startAt: number;
  seed?: string;
}

/** A deployment to so many hosts, one in fifty failing, in the order of its time. */
export function* fleetInputs(fleet: FleetSize): Generator<StepEventInput> {
  const plan = planFleet({
    service: 'orders',
    version: '2.4.0',
    environment: 'production',
    failRate: 0.02,
    seed: '1',
    ...fleet,
  });
  for (const { input } of fleetEvents(plan, { startAt: fleet.startAt, speed: 1 })) yield input;
}

let counter = 0;
/** So that events of two runs into one store differ. */
const run = Date.now().toString(36);

/** An output line of twelve fields, about 430 bytes; no two are the same event. */
export function anEvent(taskId: string, host: string) {
  const n = ++counter;
  return {
    eventId: `${run}-${host}-${n}`,
    taskId,
    host,
    step: 'download',
    at: new Date().toISOString(),
    writer: `${run}-agent-${host}`,
    sequence: n,
    message: `line ${n}: fetched part ${n % 97} of orders-2.4.0.tar.gz from 10.40.${n % 8}.${n % 250}, ${(n * 7919) % 100_000} bytes in ${n % 900} ms, verified`,
    level: 'INFO' as const,
    stream: 'STDOUT' as const,
    source: 'agent/1.4.2',
    labels: { zone: 'eu-1a', rack: `r${n % 12}` },
  };
}

/** As the server makes it of what was sent. Throws where it would be refused. */
export function logEvent(input: StepEventInput, receivedAt: number): LogEvent {
  const parsed = parseStepEvent(input, receivedAt);
  if (!parsed.ok) throw new Error(`an event of the bench is refused: ${parsed.problem.message}`);
  return parsed.event;
}
