import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageRequest } from '../../src/domain/cursor/page.ts';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { type EventFilter, matchesEvent } from '../../src/domain/search/filter.ts';
import { parseSearch } from '../../src/domain/search/search.ts';
import type { EventOrder, Store } from '../../src/store/store.ts';
import { aFleet, anEvent } from './events.ts';
import {
  allRows,
  aPage,
  contractSettings,
  fill,
  type OpenedStore,
  type OpenStore,
  wholeLog,
} from './harness.ts';

const START = 1_760_000_000_000;

function search(text: string): EventFilter {
  const query = parseSearch(text);
  return query === null ? {} : { search: query };
}

/** Each is held against `matchesEvent`. */
const FILTERS: Record<string, EventFilter> = {
  everything: {},
  'one task': { taskId: 'deploy-5-1' },
  'an unknown task': { taskId: 'nobody' },
  'empty lists': { kinds: [], hosts: [], levels: [] },
  kinds: { kinds: ['STEP', 'TASK'] },
  services: { services: ['checkout', 'search'] },
  environments: { environments: ['prod'] },
  'a host': { hosts: ['web-2'] },
  'two hosts': { hosts: ['web-2', 'web-5'] },
  'a host pattern': { hosts: ['web-*'] },
  'a pattern and a host': { hosts: ['web-1', 'w*-3', 'web-4*'] },
  'every host': { hosts: ['*'] },
  'a host of one task': { taskId: 'deploy-5-0', hosts: ['web-3'] },
  'a step of a host of one task': { taskId: 'deploy-5-0', hosts: ['web-3'], steps: ['unpack'] },
  'a pattern within one task': { taskId: 'deploy-5-0', hosts: ['web-1*', 'web-2'] },
  steps: { steps: ['backup', 'download'] },
  attempts: { attempts: [2] },
  levels: { levels: ['WARN', 'DEBUG'] },
  'severe levels': { levels: ['ERROR', 'FATAL'] },
  'least level': { minLevel: 'INFO' },
  'severe least level': { minLevel: 'ERROR' },
  statuses: { statuses: ['FAILED', 'TIMED_OUT', 'PENDING'] },
  streams: { streams: ['STDERR'] },
  sources: { sources: ['agent/2.0'] },
  'a time range': { from: START + 20_000, to: START + 120_000 },
  'a time range with nothing in it': { from: START - 20_000, to: START - 10_000 },
  'a time range of one task': { taskId: 'deploy-5-2', from: START + 182_000 },
  'a text label': { labels: [{ key: 'rack', value: 'r1' }] },
  'a boolean label': { labels: [{ key: 'hot', value: 'true' }] },
  'two labels': {
    labels: [
      { key: 'rack', value: 'r2' },
      { key: 'hot', value: 'true' },
    ],
  },
  'a word': search('refused'),
  'a word in another case': search('REFUSED'),
  'two words': search('connection refused'),
  'a phrase': search('"connection refused"'),
  'a phrase that crosses texts': search('"sda1 disk"'),
  'an address': search('10.0.0.7'),
  'CJK characters': search('连接'),
  'a folded letter': search('GRÖSSE'),
  'a prefix': search('conn*'),
  'a phrase with a prefix': search('"connection ref"*'),
  'an unwanted word': search('connection -refused'),
  'only an unwanted word': search('-refused'),
  'only an unwanted prefix': search('-re*'),
  'two unwanted words': search('-refused -copied'),
  'a word of a command': search('retry'),
  'a word of an error': search('sda1'),
  'an error code': search('e_io'),
  'a word that nothing has': search('nonsense'),
  'a level': search('level:error'),
  'an unwanted level': search('-level:info refused'),
  'a host by search': search('host:web-2'),
  'a host pattern by search': search('host:web-* copied'),
  'an unwanted host': search('-host:web-1 -host:web-2'),
  'a step and a word': search('step:download verified'),
  'a status': search('status:failed'),
  'an unwanted status': search('-status:running -status:succeeded'),
  'a service prefix': search('service:che*'),
  'an unwanted service': search('-service:checkout'),
  'an environment': search('environment:prod timeout'),
  'a source': search('source:agent/2*'),
  'a stream': search('stream:stderr'),
  'a word in one task': { taskId: 'deploy-5-1', ...search('connection') },
  'a word on one host': { hosts: ['web-4'], ...search('archive') },
  'a word, level, time and label': {
    ...search('line'),
    minLevel: 'WARN',
    from: START + 5_000,
    labels: [{ key: 'hot', value: 'true' }],
  },
};

const COLOURED = [
  '\u001b[31mERROR\u001b[0m disk full',
  '\u001b[1;32mok:\u001b[0m [web-1] \u001b]8;;file:///x\u0007log\u001b]8;;\u0007',
  'err\u001b[1mor\u001b[0m in line 7',
].map((message) => anEvent({ taskId: 'coloured', message }));

/** Searching and paging events. */
export function describeEventQueries(open: OpenStore): void {
  describe('finds events', () => {
    let opened: OpenedStore;
    let log: StoredEvent[];
    beforeAll(async () => {
      opened = await open(contractSettings);
      await fill(opened.store, [...aFleet({ seed: 5, tasks: 5 }), ...COLOURED]);
      log = await wholeLog(opened.store);
    });
    afterAll(() => opened.close());

    it.each([
      ['error', [0, 2]],
      ['ok', [1]],
      ['"error disk"', [0]],
      ['\u001b[31mERROR\u001b[0m disk', [0]],
      ['31merror', []],
      ['0m', []],
      ['8', []],
    ])('that are coloured by what is seen of them: %j', async (text, lines) => {
      const filter = { taskId: 'coloured', ...search(text) };
      const [page] = await opened.store.events([
        { filter, order: 'LOG', page: aPage({ limit: 10, withTotal: true }) },
      ]);
      expect(page?.rows.map(({ node }) => node.message)).toEqual(
        lines.map((line) => COLOURED[line]?.message),
      );
    });

    for (const [name, filter] of Object.entries(FILTERS)) {
      it(`by ${name}, the same ones as the live path [E1 E3]`, async () => {
        const expected = log.filter((event) => matchesEvent(filter, event));
        const [page] = await opened.store.events([
          { filter, order: 'TIME', page: aPage({ limit: 1_000, withTotal: true }) },
        ]);
        const found = page?.rows.map(({ node }) => node) ?? [];
        expect(ids(found)).toEqual(ids(expected).slice(0, 1_000));
        expect(found.map(({ at }) => at)).toEqual(
          expected
            .map(({ at }) => at)
            .sort((a, b) => a - b)
            .slice(0, 1_000),
        );
        expect(page).toMatchObject({ total: expected.length, totalIsExact: true });
        if (filter.taskId === undefined) return;
        const [logPage] = await opened.store.events([
          { filter, order: 'LOG', page: aPage({ limit: 1_000, withTotal: true }) },
        ]);
        expect(logPage?.rows.map(({ node }) => node)).toEqual(expected);
        expect(logPage).toMatchObject({ total: expected.length, totalIsExact: true });
      });
    }

    const paged: [string, EventOrder, EventFilter][] = [
      ['by time', 'TIME', { levels: ['WARN', 'ERROR'], hosts: ['web-*'] }],
      ['by time with a search', 'TIME', search('refused')],
      ['by time within a task', 'TIME', { taskId: 'deploy-5-2' }],
      ['in order of the log', 'LOG', { taskId: 'deploy-5-2' }],
      ['in order of the log with a search', 'LOG', { taskId: 'deploy-5-2', ...search('line') }],
      ['in order of the log on a host', 'LOG', { taskId: 'deploy-5-2', hosts: ['web-2'] }],
    ];
    for (const [name, order, filter] of paged) {
      it(`page by page ${name}: forward, backward and around are the whole list [E5]`, async () => {
        const read = reader(opened.store, order, filter);
        const [all] = await opened.store.events([{ filter, order, page: aPage({ limit: 1_000 }) }]);
        const whole = all?.rows ?? [];
        expect(whole.length).toBeGreaterThan(20);
        expect(await allRows(read, false, 17)).toEqual(whole);
        expect(await allRows(read, true, 13)).toEqual(whole);
        for (const middle of [0, 3, Math.floor(whole.length / 2), whole.length - 1]) {
          const page = await read(aPage({ limit: 8, around: whole[middle]?.key ?? null }));
          const start = Math.max(0, Math.min(middle - 4, whole.length - 8));
          expect(page.rows).toEqual(whole.slice(start, start + 8));
          expect(page.hasPreviousPage).toBe(start > 0);
          expect(page.hasNextPage).toBe(start + 8 < whole.length);
        }
        const between = await read(
          aPage({ after: whole[4]?.key ?? null, before: whole[9]?.key ?? null }),
        );
        expect(between.rows).toEqual(whole.slice(5, 9));
      });
    }

    it('and says with a page where a tail goes on without a seam [E6]', async () => {
      const [page] = await opened.store.events([
        { filter: {}, order: 'TIME', page: aPage({ limit: 1 }) },
      ]);
      const heads = await opened.store.heads(null);
      const seen = new Map(page?.at.map(({ shard, seq }) => [shard, seq]));
      for (const { shard, seq } of heads) expect(seen.get(shard) ?? 0).toBe(seq);
    });

    it('of several questions at once, in the order of the questions [S4]', async () => {
      const filters: EventFilter[] = [{ hosts: ['web-1'] }, { taskId: 'nobody' }, {}];
      const pages = await opened.store.events(
        filters.map((filter) => ({ filter, order: 'TIME', page: aPage({ limit: 2 }) })),
      );
      expect(pages.map(({ rows }) => rows.length)).toEqual([2, 0, 2]);
    });
  });
}

function ids(events: StoredEvent[]): string[] {
  return events.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
}

function reader(store: Store, order: EventOrder, filter: EventFilter) {
  return async (page: PageRequest) => {
    const [found] = await store.events([{ filter, order, page }]);
    if (found === undefined) throw new Error('no page');
    return found;
  };
}
