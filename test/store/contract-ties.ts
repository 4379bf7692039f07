/** Lines of a burst carry one millisecond: by time they come in the order of the log all the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageRequest } from '../../src/domain/cursor/page.ts';
import type { LogEvent } from '../../src/domain/event/event.ts';
import type { EventFilter } from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import { anEvent } from './events.ts';
import {
  allRows,
  aPage,
  contractSettings,
  fill,
  type OpenedStore,
  type OpenStore,
} from './harness.ts';

const AT = 1_760_000_000_000;
const DAY_MS = 86_400_000;
const LINES = 16;
const line = parseSearch('line');

const FILTERS: Record<string, EventFilter> = {
  'of one task': { taskId: 'tie-1' },
  'of two tasks of a day': { steps: ['pull'] },
  'of tasks of two days': {},
  'that a search found': line === null ? {} : { search: line },
};

/** The last task begins a day later and reports with a clock that is behind. */
const TASKS: Partial<LogEvent>[] = [
  { taskId: 'tie-1', step: 'pull', at: AT, receivedAt: AT },
  { taskId: 'tie-2', step: 'pull', at: AT, receivedAt: AT },
  { taskId: 'tie-3', step: 'late', at: AT, receivedAt: AT + DAY_MS },
];

export function describeTies(open: OpenStore): void {
  describe('by time, events of one millisecond', () => {
    let opened: OpenedStore;
    beforeAll(async () => {
      opened = await open(contractSettings);
      const burst = Array.from({ length: LINES }, (_, number) =>
        TASKS.map((task) => anEvent({ ...task, message: `line ${number}` })),
      ).flat();
      const ends = [AT + 1, AT - 1].map((at) => anEvent({ ...TASKS[0], at, message: 'line' }));
      await fill(opened.store, [...ends, ...burst], 7);
    });
    afterAll(() => opened.close());

    for (const [name, filter] of Object.entries(FILTERS)) {
      it(`${name} come in the order of the log, forward, backward and around [E4]`, async () => {
        const read = async (page: PageRequest) => {
          const [found] = await opened.store.events([{ filter, order: 'TIME', page }]);
          if (found === undefined) throw new Error('no page');
          return found;
        };
        const { rows: whole } = await read(aPage({ limit: 100 }));
        const ties = whole.slice(1, -1).map(({ node }) => node);
        expect(new Set(ties.map(({ at }) => at))).toEqual(new Set([AT]));
        expect(ties.length % LINES).toBe(0);
        for (const lines of Map.groupBy(ties, ({ taskId }) => taskId).values()) {
          expect(lines.map(({ message }) => message)).toEqual(
            Array.from({ length: LINES }, (_, number) => `line ${number}`),
          );
        }
        for (const shard of Map.groupBy(ties, ({ position }) => position.shard).values()) {
          const seqs = shard.map(({ position }) => position.seq);
          expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
        }
        expect(await allRows(read, false, 3)).toEqual(whole);
        expect(await allRows(read, true, 5)).toEqual(whole);
        for (const [middle, { key }] of whole.entries()) {
          const page = await read(aPage({ limit: 4, around: key }));
          const start = Math.max(0, Math.min(middle - 2, whole.length - 4));
          expect(page.rows).toEqual(whole.slice(start, start + 4));
          const before = whole[middle + 4]?.key ?? null;
          const between = await read(aPage({ after: key, before }));
          const end = before === null ? whole.length : middle + 4;
          expect(between.rows).toEqual(whole.slice(middle + 1, end));
        }
      });
    }
  });
}
