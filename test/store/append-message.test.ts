import { expect, it } from 'vitest';
import type { LogEvent } from '../../src/domain/event/event.ts';
import { parseStepEvent } from '../../src/domain/event/input.ts';
import { parseStartTask } from '../../src/domain/event/task-input.ts';
import {
  eventsOfText,
  outcomesOf,
  replyOf,
  textOfEvents,
} from '../../src/store/sqlite/threads/append-message.ts';
import type { AppendOutcome } from '../../src/store/store.ts';

const AT = Date.UTC(2026, 10, 27);

function eventOf(parsed: { ok: true; event: LogEvent } | { ok: false }): LogEvent {
  if (!parsed.ok) throw new Error('an event of the test is refused');
  return parsed.event;
}

it('Events reach the thread that writes with everything that was said', () => {
  const step = { taskId: 't', host: 'h', step: 's' };
  const events = [
    parseStepEvent({ ...step, message: 'bare' }, AT),
    parseStepEvent({ ...step, message: 'unset clock', at: 0 }, AT),
    parseStepEvent(
      {
        ...step,
        eventId: 'e',
        attempt: 2,
        status: 'FAILED',
        at: AT - 5,
        writer: 'w',
        sequence: 7,
        message: 'm "quoted" \u2028',
        level: 'WARN',
        stream: 'STDERR',
        command: 'c',
        params: { a: [1, null, { b: true }] },
        exitCode: -1,
        durationMs: 1.5,
        progress: { done: 1, total: 2, unit: 'files' },
        error: { code: 'E', message: 'broken' },
        source: 'agent/1',
        labels: { x: 1, y: 'z', q: false },
      },
      AT,
    ),
    parseStartTask({ id: 't', service: 'shop', plan: ['a', 'b'], hosts: ['h'] }, AT),
  ].map(eventOf);
  expect(events[1]?.atReplaced).toBe(true);
  expect(eventsOfText(textOfEvents(events))).toStrictEqual(events);
});

it('What became of them comes back as it was decided', () => {
  const position = { shard: '0', seq: 4 };
  const outcomes: AppendOutcome[] = [
    { outcome: 'STORED', position, service: null, environment: null },
    { outcome: 'STORED', position: { shard: '0', seq: 5 }, service: 'shop', environment: null },
    { outcome: 'DUPLICATE', position },
    {
      outcome: 'REJECTED',
      problem: { code: 'TASK_FULL', message: 'it is full', field: 'taskId' },
    },
  ];
  const reply: unknown = JSON.parse(JSON.stringify(replyOf(outcomes, 5)));
  expect(outcomesOf(reply as ReturnType<typeof replyOf>)).toStrictEqual(outcomes);
});
