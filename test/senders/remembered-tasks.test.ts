import { expect, it } from 'vitest';
import { eventIdOf } from '../../src/senders/identity.ts';
import { RememberedTasks } from '../../src/senders/remembered-tasks.ts';

const idOf = (number: number): string =>
  eventIdOf({ by: 'id', space: 'orders', id: String(number) }, true) as string;

it('The task of an id is remembered for the 100,000 newest at least, and the oldest are let go', () => {
  const tasks = new RememberedTasks();
  const ids = Array.from({ length: 200_001 }, (_, number) => idOf(number));
  const wrong = (numbers: readonly number[], asked: (number: number) => string) =>
    numbers.filter((number) => tasks.of(ids[number] as string, asked(number)) !== `${number % 7}`);
  const all = [...ids.keys()];
  expect(wrong(all, (number) => `${number % 7}`)).toEqual([]);
  expect(wrong(all.slice(-100_000), () => 'another')).toEqual([]);
  expect(tasks.of(ids[0] as string, 'another')).toBe('another');
});

it('An id that comes again and again keeps its first task, however many come between', () => {
  const tasks = new RememberedTasks();
  tasks.of(idOf(-1), 'first');
  for (let number = 0; number < 250_000; number++) {
    tasks.of(`x-${number.toString(36).padStart(10, 'A')}AAAAAAAAAAAA`, 'between');
    if (number % 50_000 === 0) expect(tasks.of(idOf(-1), 'later')).toBe('first');
  }
});
