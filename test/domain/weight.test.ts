/** Queues and rings are bounded by weight: no field may be heavy and weigh nothing. */
import { describe, expect, it } from 'vitest';
import { approximateBytes } from '../../src/domain/event/event-weight.ts';
import { parseStepEvent } from '../../src/domain/event/input.ts';
import { LIMITS } from '../../src/domain/event/limits.ts';
import { parseStartTask } from '../../src/domain/event/task-input.ts';

const long = (length: number) => 'x'.repeat(length);
const many = (count: number, name: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => name(at));
const padded = (length: number) => (at: number) => `${at}`.padEnd(length, 'x');
const labels = Object.fromEntries(
  many(LIMITS.labels, padded(LIMITS.labelKey)).map((key) => [key, long(LIMITS.labelValue)]),
);
const step = { taskId: 't', host: 'h', step: 's', message: 'm' };

describe('An event in a queue weighs what it is, where its long field is', () => {
  it.each<[string, object]>([
    ['message', { message: long(LIMITS.message) }],
    ['command', { command: long(LIMITS.command) }],
    ['error', { error: { code: long(LIMITS.errorCode), message: long(LIMITS.errorMessage) } }],
    ['params', { params: { text: long(LIMITS.paramsBytes - 100) } }],
    ['labels', { labels }],
  ])('the %s of a step', (_, fields) => {
    expectWeighed(parseStepEvent({ ...step, ...fields }, 0));
  });

  it.each<[string, object]>([
    ['hosts', { hosts: many(LIMITS.hosts, padded(LIMITS.host)) }],
    ['plan', { plan: many(LIMITS.planSteps, padded(LIMITS.step)) }],
    ['labels', { labels }],
  ])('the %s of a task', (_, fields) => {
    expectWeighed(parseStartTask({ id: 't', ...fields }, 0));
  });
});

function expectWeighed(parsed: ReturnType<typeof parseStepEvent>): void {
  if (!parsed.ok) throw new Error(parsed.problem.message);
  const { event } = parsed;
  // A task's labels are those of its event: one object, though JSON writes them twice.
  const task = event.task === null ? null : { ...event.task, labels: null };
  const length = JSON.stringify({ ...event, task }).length;
  expect(approximateBytes(event)).toBeGreaterThan(0.9 * length);
  expect(approximateBytes(event)).toBeLessThan(1.1 * length);
}
