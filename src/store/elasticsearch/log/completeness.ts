/**
 * Whether all events of a run are there: which of the numbers that its writers gave are missing.
 */
import { z } from 'zod';
import type { Completeness } from '../../../domain/fold/views.ts';
import type { RunKey } from '../../store.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { all, type Query } from '../query/dsl.ts';
import { aggregateEach, type Scope, type Scopes, searchOn } from './event-scope.ts';

const MAX_RANGES = 100;
const MAX_WRITERS = 1_000;
const SEQUENCES_PAGE = 10_000;

const NUMBERS = z.object({
  count: z.number(),
  max: z.number().nullable(),
  sum: z.number().nullable(),
  sum_of_squares: z.number().nullable(),
});
const WRITERS = z.object({
  writers: z.object({ buckets: z.array(z.object({ key: z.string(), numbers: NUMBERS })) }),
});

export class CompletenessReader {
  readonly #searcher: Searcher;
  readonly #scopes: Scopes;

  constructor(searcher: Searcher, scopes: Scopes) {
    this.#searcher = searcher;
    this.#scopes = scopes;
  }

  /** Sums by writer; only where they are not those of 1 to the last, which numbers are missing. */
  async of(keys: readonly RunKey[]): Promise<Completeness[]> {
    const scopes = await this.#scopes.ofEach(keys.map(({ taskId }) => taskId));
    const counted = await aggregateEach(this.#searcher, WRITERS, scopes, (i) => ({
      query: all(ofRun(keys[i] as RunKey)),
      body: {
        size: 0,
        track_total_hits: true,
        aggs: {
          writers: {
            terms: { field: 'shiplog.writer', size: MAX_WRITERS, order: { _key: 'asc' } },
            aggs: { numbers: { extended_stats: { field: 'event.sequence' } } },
          },
        },
      },
    }));
    return Promise.all(
      keys.map(async (key, i) => {
        const answer = counted[i];
        if (answer == null) return { received: 0, complete: null, missing: [] };
        const numbered = (answer.aggregations?.writers.buckets ?? []).filter(
          ({ numbers }) => numbers.count > 0,
        );
        const missing: Completeness['missing'] = [];
        for (const { key: writer, numbers } of numbered) {
          if (areAll(numbers) || missing.length >= MAX_RANGES) continue;
          missing.push(...(await this.#gaps(scopes[i] as Scope, key, writer, numbers.max ?? 0)));
        }
        return {
          received: answer.total,
          complete: numbered.length === 0 ? null : missing.length === 0,
          missing: missing.slice(0, MAX_RANGES),
        };
      }),
    );
  }

  async #gaps(
    scope: Scope,
    key: RunKey,
    writer: string,
    last: number,
  ): Promise<Completeness['missing']> {
    const [target] = scope.targets;
    const missing: Completeness['missing'] = [];
    let next = 1;
    for (let after = 0; target !== undefined && missing.length < MAX_RANGES; ) {
      const query = all([...ofRun(key), { term: { 'shiplog.writer': writer } }]);
      const { hits } = await this.#searcher.one<unknown>(
        searchOn(target, query, {
          size: SEQUENCES_PAGE,
          _source: false,
          sort: [{ 'event.sequence': { order: 'asc', missing: 0 } }],
          search_after: [after],
          track_total_hits: false,
        }),
      );
      for (const { sort } of hits) {
        const sequence = Number(sort[0]);
        if (sequence > next) missing.push({ writer, from: next, to: sequence - 1 });
        next = Math.max(next, sequence + 1);
      }
      if (hits.length < SEQUENCES_PAGE) break;
      // Equal numbers may have been cut by the page: they say nothing new.
      after = next - 1;
    }
    if (next <= last) missing.push({ writer, from: next, to: last });
    return missing;
  }
}

/**
 * Whether these are the numbers from 1 to the greatest, each once. A number that was used twice
 * stands in for a missing one in the count, but not in all three of the sums.
 */
function areAll({ count, max, sum, sum_of_squares }: z.infer<typeof NUMBERS>): boolean {
  const last = max ?? 0;
  const square = (last * (last + 1) * (2 * last + 1)) / 6;
  return count === last && sum === (last * (last + 1)) / 2 && sum_of_squares === square;
}

export function ofRun({ taskId, host }: RunKey): Query[] {
  return [{ term: { 'shiplog.task.id': taskId } }, { term: { 'host.name': host } }];
}
