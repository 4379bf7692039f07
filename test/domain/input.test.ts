import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InputProblem } from '../../src/domain/errors.ts';
import type { LogEvent } from '../../src/domain/event/event.ts';
import { type InputOptions, parseStepEvent } from '../../src/domain/event/input.ts';
import { parseFinishTask, parseStartTask } from '../../src/domain/event/task-input.ts';
import { createRedactor } from '../../src/domain/redact/redact.ts';

const NOW = 1_795_000_000_000;
const LINE = { taskId: 't1', host: 'web-1', step: 'download', message: 'hello' };

function taken(fields: Record<string, unknown>, options?: InputOptions, now = NOW): LogEvent {
  const parsed = parseStepEvent({ ...LINE, ...fields }, now, options);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
  return parsed.event;
}
function refused(raw: unknown): InputProblem {
  const parsed = parseStepEvent(raw, NOW);
  if (parsed.ok) throw new Error('it was taken');
  return parsed.problem;
}
/** JSON text, because an object literal would set the prototype. */
const json = (text: string): unknown => JSON.parse(text);

describe('a reported event', () => {
  it('gets the documented defaults', () => {
    const parsed = parseStepEvent(LINE, NOW);
    expect(parsed).toMatchObject({
      ok: true,
      generatedId: true,
      event: { kind: 'OUTPUT', attempt: 1, at: NOW, receivedAt: NOW, level: 'INFO', labels: {} },
    });
    expect(parsed.ok && parsed.event.eventId).toMatch(
      /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    );
    expect(taken({}).id).toMatch(/^[\w-]{22}$/);
    expect(taken({}).digest).toMatch(/^[\w-]{16}$/);
  });

  it.each([
    [{ status: 'RUNNING', message: null }, 'STEP', 'INFO'],
    [{ status: 'FAILED', progress: { done: 1 } }, 'STEP', 'ERROR'],
    [{ status: 'TIMED_OUT' }, 'STEP', 'ERROR'],
    [{ status: 'CANCELLED' }, 'STEP', 'WARN'],
    [{ status: 'FAILED', level: 'DEBUG' }, 'STEP', 'DEBUG'],
    [{ progress: { done: 1 }, message: null }, 'PROGRESS', 'INFO'],
    [{ progress: { done: 1 } }, 'PROGRESS', 'INFO'],
    [{ message: '' }, 'OUTPUT', 'INFO'],
    [{ message: null, exitCode: 0 }, 'OUTPUT', 'INFO'],
  ])('%j is of kind %s and level %s', (fields, kind, level) => {
    expect(taken(fields)).toMatchObject({ kind, level });
  });

  it.each([
    ['a list', [], 'INVALID_TYPE', null],
    ['null', null, 'INVALID_TYPE', null],
    ['a text', 'x', 'INVALID_TYPE', null],
    ['no task', { host: 'h', step: 's', message: 'm' }, 'REQUIRED', 'taskId'],
    ['a null task', { ...LINE, taskId: null }, 'REQUIRED', 'taskId'],
    ['a number as task', { ...LINE, taskId: 7 }, 'INVALID_TYPE', 'taskId'],
    ['an empty host', { ...LINE, host: '' }, 'INVALID_VALUE', 'host'],
    ['a pattern as host', { ...LINE, host: 'web-*' }, 'INVALID_VALUE', 'host'],
    ['white space around a step', { ...LINE, step: ' a' }, 'INVALID_VALUE', 'step'],
    ['a line feed in a step', { ...LINE, step: 'a\nb' }, 'INVALID_VALUE', 'step'],
    ['a long task id', { ...LINE, taskId: 'x'.repeat(257) }, 'TOO_LONG', 'taskId'],
    ['a long event id', { ...LINE, eventId: 'x'.repeat(129) }, 'TOO_LONG', 'eventId'],
    ['a misspelt field', { ...LINE, eventID: 'x' }, 'UNKNOWN_FIELD', 'eventID'],
    [
      'a misspelt field of error',
      { ...LINE, error: { message: 'm', kode: 1 } },
      'UNKNOWN_FIELD',
      'error.kode',
    ],
    ['__proto__', json('{"__proto__":{"taskId":"t"},"host":"h"}'), 'UNKNOWN_FIELD', '__proto__'],
    ['attempt 0', { ...LINE, attempt: 0 }, 'OUT_OF_RANGE', 'attempt'],
    ['attempt 1.5', { ...LINE, attempt: 1.5 }, 'INVALID_VALUE', 'attempt'],
    ['attempt 10,001', { ...LINE, attempt: 10_001 }, 'OUT_OF_RANGE', 'attempt'],
    ['attempt as text', { ...LINE, attempt: '1' }, 'INVALID_TYPE', 'attempt'],
    ['status PENDING', { ...LINE, status: 'PENDING' }, 'INVALID_VALUE', 'status'],
    ['status NOT_RUN', { ...LINE, status: 'NOT_RUN' }, 'INVALID_VALUE', 'status'],
    ['status in small letters', { ...LINE, status: 'failed' }, 'INVALID_VALUE', 'status'],
    ['no such time', { ...LINE, at: '2026-02-30T00:00:00Z' }, 'INVALID_VALUE', 'at'],
    ['a time beyond 9999', { ...LINE, at: 1e18 }, 'OUT_OF_RANGE', 'at'],
    ['a boolean as time', { ...LINE, at: true }, 'INVALID_TYPE', 'at'],
    ['a sequence alone', { ...LINE, sequence: 1 }, 'REQUIRED', 'writer'],
    ['sequence 0', { ...LINE, writer: 'w', sequence: 0 }, 'OUT_OF_RANGE', 'sequence'],
    ['sequence 2^53', { ...LINE, writer: 'w', sequence: 2 ** 53 }, 'OUT_OF_RANGE', 'sequence'],
    ['a NUL', { ...LINE, message: 'a\0' }, 'INVALID_TEXT', 'message'],
    ['half a pair', { ...LINE, command: '\ud800' }, 'INVALID_TEXT', 'command'],
    ['half a pair in a key', { ...LINE, params: { '\udc00': 1 } }, 'INVALID_TEXT', 'params'],
    ['a NUL deep in params', { ...LINE, params: { a: [{ b: '\0' }] } }, 'INVALID_TEXT', 'params'],
    ['a NUL in a label', { ...LINE, labels: { a: '\0' } }, 'INVALID_TEXT', 'labels.a'],
    ['a long message', { ...LINE, message: 'x'.repeat(65_537) }, 'TOO_LONG', 'message'],
    ['a long command', { ...LINE, command: 'x'.repeat(32_769) }, 'TOO_LONG', 'command'],
    [
      'a long error',
      { ...LINE, error: { message: 'x'.repeat(32_769) } },
      'TOO_LONG',
      'error.message',
    ],
    [
      'a long error code',
      { ...LINE, error: { message: 'm', code: 'x'.repeat(257) } },
      'TOO_LONG',
      'error.code',
    ],
    ['an error without message', { ...LINE, error: { code: 'c' } }, 'REQUIRED', 'error.message'],
    ['params as list', { ...LINE, params: [] }, 'INVALID_TYPE', 'params'],
    ['big params', { ...LINE, params: { a: 'é'.repeat(8_190) } }, 'TOO_LONG', 'params'],
    ['infinite params', { ...LINE, params: json('{"a":1e999}') }, 'OUT_OF_RANGE', 'params'],
    [
      '__proto__ in params',
      { ...LINE, params: json('{"a":{"__proto__":1}}') },
      'INVALID_VALUE',
      'params',
    ],
    [
      '__proto__ in labels',
      { ...LINE, labels: json('{"__proto__":1}') },
      'INVALID_VALUE',
      'labels',
    ],
    ['a nested label', { ...LINE, labels: { a: {} } }, 'INVALID_TYPE', 'labels.a'],
    ['an empty label key', { ...LINE, labels: { '': 1 } }, 'TOO_LONG', 'labels.'],
    ['a long label', { ...LINE, labels: { a: 'x'.repeat(1_025) } }, 'TOO_LONG', 'labels.a'],
    ['a 33-bit exit code', { ...LINE, exitCode: 2 ** 32 }, 'OUT_OF_RANGE', 'exitCode'],
    ['a negative duration', { ...LINE, durationMs: -1 }, 'OUT_OF_RANGE', 'durationMs'],
    [
      'a duration that is no number',
      { ...LINE, durationMs: Number.NaN },
      'OUT_OF_RANGE',
      'durationMs',
    ],
    ['progress without done', { ...LINE, progress: {} }, 'REQUIRED', 'progress.done'],
    [
      'negative progress',
      { ...LINE, progress: { done: 1, total: -1 } },
      'OUT_OF_RANGE',
      'progress.total',
    ],
    ['nothing said', { ...LINE, message: null, level: 'INFO' }, 'REQUIRED', 'message'],
  ])('with %s is refused with the field', (_, raw, code, field) => {
    const problem = refused(raw);
    expect(problem).toMatchObject({ code, field });
    expect(problem.message).not.toBe('');
  });

  it('may be as large as the documented caps', () => {
    const labels = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, i]));
    let deep: unknown = 1;
    for (let level = 0; level < 8; level++) deep = { deep };
    expect(taken({ message: 'x'.repeat(65_536), labels, params: deep }).labels).toEqual(labels);
    expect(refused({ ...LINE, params: { deep } })).toMatchObject({ code: 'TOO_LONG' });
    expect(refused({ ...LINE, labels: { ...labels, more: 1 } })).toMatchObject({
      code: 'TOO_LONG',
    });
    expect(taken({ labels: { ...labels, absent: null } }).labels).toEqual(labels);
    const keys = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`k${i}`, 0]));
    expect(refused({ ...LINE, params: keys })).toMatchObject({ code: 'TOO_LONG', field: 'params' });
  });

  it('may come without a prototype, with nulls for what is absent', () => {
    const bare = Object.assign(Object.create(null), LINE, { status: null, at: NOW, labels: null });
    expect(parseStepEvent(bare, NOW)).toMatchObject({ ok: true, event: { at: NOW, status: null } });
  });

  it('keeps an unsigned Windows exit code as the signed one', () => {
    expect(taken({ exitCode: 0xc0000005 }).exitCode).toBe(-1_073_741_819);
    expect(taken({ exitCode: -1 }).exitCode).toBe(-1);
    expect(taken({ exitCode: 2 ** 31 - 1 }).exitCode).toBe(2 ** 31 - 1);
  });

  it('is recognised when it is sent again, by its id or by writer and sequence', () => {
    for (const identity of [{ eventId: 'e1' }, { writer: 'w', sequence: 7 }]) {
      const first = taken({ ...identity, labels: { a: 1, b: 2 }, params: { x: 1, y: { z: [1] } } });
      const again = taken(
        {
          params: { y: { z: [1] }, x: 1 },
          labels: { c: null, b: 2, a: 1 },
          status: null,
          ...identity,
        },
        undefined,
        NOW + 5_000,
      );
      expect(again).toMatchObject({ id: first.id, eventId: first.eventId, digest: first.digest });
    }
    expect(taken({ writer: 'w', sequence: 7 }).eventId).toMatch(/^w-[\w-]{22}$/);
    expect(taken({}).eventId).not.toBe(taken({}).eventId);
  });

  it('of another task, host, writer or number is another event', () => {
    const ids = [{}, { taskId: 't2' }, { host: 'web-2' }, { writer: 'v' }, { sequence: 8 }].map(
      (other) => taken({ writer: 'w', sequence: 7, ...other }).id,
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is the same event where a default was said and where it was left out', () => {
    const said = [
      ...[{ attempt: 1 }, { level: 'INFO' }, { params: {} }, { labels: {} }],
      { attempt: 1, level: 'INFO', params: {}, labels: {} },
    ];
    for (const defaults of said) {
      expect(taken({ eventId: 'e', ...defaults }).digest).toBe(taken({ eventId: 'e' }).digest);
    }
    const failed = { eventId: 'e', status: 'FAILED' };
    expect(taken({ ...failed, level: 'ERROR' }).digest).toBe(taken(failed).digest);
    expect(taken({ ...failed, level: 'INFO' }).digest).not.toBe(taken(failed).digest);
  });

  it('with any other content has another digest', () => {
    const digests = [
      {},
      { message: 'hello!' },
      { at: NOW },
      { attempt: 2 },
      { level: 'WARN' },
      { stream: 'STDERR' },
      { params: { a: 1 } },
      { params: { pairs: [['a', 1]] } },
      { params: { a: [['b', 1]] } },
      { params: { a: { b: 1 } } },
      { labels: { a: 1 } },
      { labels: { a: '1' } },
    ].map((other) => taken({ eventId: 'e', ...other }).digest);
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('is redacted before its digest is made', () => {
    const redact = createRedactor();
    const one = taken({ eventId: 'e', command: 'login --password one' }, { redact });
    const two = taken({ eventId: 'e', command: 'login --password two' }, { redact });
    expect(one.command).toBe('login --password [redacted]');
    expect(two.digest).toBe(one.digest);
    expect(
      taken(
        {
          params: { apiKey: 'k' },
          labels: { token: 'k' },
          error: { code: 'TOKEN=k', message: 'TOKEN=k' },
        },
        { redact },
      ),
    ).toMatchObject({
      params: { apiKey: '[redacted]' },
      labels: { token: '[redacted]' },
      error: { code: 'TOKEN=[redacted]', message: 'TOKEN=[redacted]' },
    });
  });

  it('of any shape is taken or refused, never a fault', () => {
    const names = [
      'taskId',
      'host',
      'step',
      'message',
      'labels',
      'params',
      'error',
      'progress',
      'at',
    ];
    const field = fc.constantFrom(...names, 'sequence', 'writer', 'exitCode', 'toString');
    fc.assert(
      fc.property(fc.dictionary(field, fc.anything()), (raw) => {
        const parsed = parseStepEvent({ ...LINE, ...raw }, NOW);
        if (!parsed.ok) expect(parsed.problem.code).toMatch(/^[A-Z_]+$/);
      }),
    );
  });
});

describe('a task', () => {
  it('that begins is an event with what was said', () => {
    const parsed = parseStartTask(
      {
        id: 't',
        service: 'shop',
        plan: ['a', 'b'],
        hosts: ['h'],
        labels: { team: 'x' },
        at: NOW - 1,
      },
      NOW,
    );
    expect(parsed).toMatchObject({
      ok: true,
      event: {
        kind: 'TASK',
        host: null,
        step: null,
        attempt: null,
        at: NOW - 1,
        service: 'shop',
        message: 'task began',
        task: {
          change: 'began',
          service: 'shop',
          plan: ['a', 'b'],
          hosts: ['h'],
          labels: { team: 'x' },
        },
      },
    });
    expect(parsed.ok && parsed.event.eventId).toMatch(/^began-[\da-f-]{36}$/);
  });

  it('that ends keeps what was said about it', () => {
    const parsed = parseFinishTask({ id: 't', status: 'FAILED', message: 'rolled back' }, NOW);
    expect(parsed).toMatchObject({
      ok: true,
      event: {
        level: 'ERROR',
        message: 'rolled back',
        task: { change: 'ended', status: 'FAILED', message: 'rolled back' },
      },
    });
    expect(parseFinishTask({ id: 't' }, NOW)).toMatchObject({
      ok: true,
      event: { message: 'task ended', task: { status: null, message: null } },
    });
  });

  it.each([
    ['no id', {}, 'REQUIRED', 'id'],
    ['an empty plan', { id: 't', plan: [] }, 'INVALID_VALUE', 'plan'],
    ['a step twice', { id: 't', plan: ['a', 'a'] }, 'INVALID_VALUE', 'plan[1]'],
    ['a step that is null', { id: 't', plan: [null] }, 'REQUIRED', 'plan[0]'],
    [
      '101 steps',
      { id: 't', plan: Array.from({ length: 101 }, (_, i) => `s${i}`) },
      'TOO_LONG',
      'plan',
    ],
    ['a pattern as host', { id: 't', hosts: ['a', 'b*'] }, 'INVALID_VALUE', 'hosts[1]'],
    ['hosts as text', { id: 't', hosts: 'a' }, 'INVALID_TYPE', 'hosts'],
    [
      'too many expected hosts',
      { id: 't', expectedHosts: 100_001 },
      'OUT_OF_RANGE',
      'expectedHosts',
    ],
    ['a long title', { id: 't', title: 'x'.repeat(1_025) }, 'TOO_LONG', 'title'],
    ['a status', { id: 't', status: 'FAILED' }, 'UNKNOWN_FIELD', 'status'],
  ])('begun with %s is refused with the field', (_, raw, code, field) => {
    expect(parseStartTask(raw, NOW)).toMatchObject({ ok: false, problem: { code, field } });
  });

  it('cannot be finished as running', () => {
    expect(parseFinishTask({ id: 't', status: 'RUNNING' }, NOW)).toMatchObject({
      ok: false,
      problem: { code: 'INVALID_VALUE', field: 'status' },
    });
  });
});
