/** What is asked of the events of single steps and runs: last lines, and which are missing. */
import type { StoredEvent } from '../../domain/event.ts';
import type { Completeness } from '../../domain/views.ts';
import type { RunKey, StepKey } from '../store.ts';
import type { EventDocument } from './event-document.ts';
import type { EventPages } from './event-pages.ts';
import { type Scope, type Scopes, searchOn } from './event-scope.ts';
import { all, type Query } from './query.ts';
import type { SearchAnswer, Searcher } from './searcher.ts';

const MAX_RANGES = 100;
const MAX_WRITERS = 1_000;
const SEQUENCES_PAGE = 10_000;

interface Writers {
  writers: {
    buckets: {
      key: string;
      numbers: { value: number };
      last: { value: number | null };
    }[];
  };
}

export class EventDetails {
  readonly #searcher: Searcher;
  readonly #scopes: Scopes;
  readonly #pages: EventPages;

  constructor(searcher: Searcher, scopes: Scopes, pages: EventPages) {
    this.#searcher = searcher;
    this.#scopes = scopes;
    this.#pages = pages;
  }

  /** The newest OUTPUT lines of each step's highest attempt, oldest first. */
  async lastLines(keys: readonly StepKey[], count: number): Promise<StoredEvent[][]> {
    const scopes = await this.#scopes.ofEach(keys.map(({ taskId }) => taskId));
    const highest = await this.#each<{ last: { value: number | null } }>(scopes, (i) => ({
      query: all(ofStep(keys[i] as StepKey)),
      body: { size: 0, aggs: { last: { max: { field: 'shiplog.attempt' } } } },
    }));
    const lines = await this.#each(scopes, (i) => ({
      query: all([
        ...ofStep(keys[i] as StepKey),
        { term: { 'shiplog.kind': 'OUTPUT' } },
        { term: { 'shiplog.attempt': highest[i]?.aggregations.last.value ?? 1 } },
      ]),
      body: {
        size: count,
        sort: [{ _seq_no: 'desc' }],
        seq_no_primary_term: true,
        track_total_hits: false,
      },
    }));
    return Promise.all(
      lines.map(async (answer) => (await this.#pages.events(answer?.hits ?? [])).reverse()),
    );
  }

  /** Counts by writer; only where they differ, which numbers are missing. */
  async completeness(keys: readonly RunKey[]): Promise<Completeness[]> {
    const scopes = await this.#scopes.ofEach(keys.map(({ taskId }) => taskId));
    const counted = await this.#each<Writers>(scopes, (i) => ({
      query: all(ofRun(keys[i] as RunKey)),
      body: {
        size: 0,
        track_total_hits: true,
        aggs: {
          writers: {
            terms: { field: 'shiplog.writer', size: MAX_WRITERS, order: { _key: 'asc' } },
            aggs: {
              numbers: { value_count: { field: 'event.sequence' } },
              last: { max: { field: 'event.sequence' } },
            },
          },
        },
      },
    }));
    return Promise.all(
      keys.map(async (key, i) => {
        const answer = counted[i];
        if (answer == null) return { received: 0, complete: null, missing: [] };
        const numbered = answer.aggregations.writers.buckets.filter(
          ({ last }) => last.value !== null,
        );
        const missing: Completeness['missing'] = [];
        for (const { key: writer, numbers, last } of numbered) {
          if (numbers.value === last.value || missing.length >= MAX_RANGES) continue;
          missing.push(...(await this.#gaps(scopes[i] as Scope, key, writer, last.value ?? 0)));
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

  /** A search per scope that has a shard, in their order; null for those that have none. */
  async #each<A = undefined>(
    scopes: readonly Scope[],
    ask: (i: number) => { query: Query; body: Record<string, unknown> },
  ): Promise<(SearchAnswer<EventDocument, A> | null)[]> {
    const asked = scopes.flatMap(({ targets: [target] }, i) =>
      target === undefined ? [] : [{ i, target }],
    );
    const answers = await this.#searcher.search<EventDocument, A>(
      asked.map(({ i, target }) => {
        const { query, body } = ask(i);
        return searchOn(target, query, body);
      }),
    );
    const found: (SearchAnswer<EventDocument, A> | null)[] = scopes.map(() => null);
    for (const [at, { i }] of asked.entries()) found[i] = answers[at] ?? null;
    return found;
  }
}

function ofRun({ taskId, host }: RunKey): Query[] {
  return [{ term: { 'shiplog.task.id': taskId } }, { term: { 'host.name': host } }];
}

function ofStep(key: StepKey): Query[] {
  return [...ofRun(key), { term: { 'event.action': key.step } }];
}
