import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { LogEvent } from '../../src/domain/event/event.ts';
import { parseStepEvent } from '../../src/domain/event/input.ts';
import { matchesSearch, parseSearch } from '../../src/domain/search/search.ts';

const MIB = 1_024 * 1_024;

function anEvent(number: number): LogEvent {
  const words = Array.from({ length: 8_000 }, (_, at) => `w${number}x${at}`);
  const parsed = parseStepEvent(
    { taskId: 't', host: 'h', step: 's', message: words.join(' ').slice(0, 65_000) },
    0,
  );
  if (!parsed.ok) throw new Error(parsed.problem.message);
  return parsed.event;
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

it('Live searches do not keep the words of every event that readers may still fetch', () => {
  const events = Array.from({ length: 300 }, (_, number) => anEvent(number));
  const query = parseSearch('w299x7');
  const before = heapUsed();
  const found = () => events.filter((event) => query !== null && matchesSearch(query, event));
  expect(found()).toEqual([events[299]]);
  expect(found()).toEqual([events[299]]);
  // Of 20 MiB of text the words are well over 100.
  expect(heapUsed() - before).toBeLessThan(40 * MIB);
  expect(events).toHaveLength(300);
});
