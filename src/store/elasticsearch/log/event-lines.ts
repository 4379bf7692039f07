/**
 * The last lines of steps. Nothing in the index says how long a line is, so what comes back is
 * bounded on its way: an answer that is too long is not read to its end, and half as many lines
 * of each step are asked for.
 */

import { z } from 'zod';
import { ANSWER_MAX, tooHeavyLines } from '../../../domain/answer-bounds.ts';
import type { StoredEvent } from '../../../domain/event/event.ts';
import { approximateBytes } from '../../../domain/event/event-weight.ts';
import type { StepKey } from '../../store.ts';
import { AnswerTooLong } from '../cluster/connection.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { all, type Query } from '../query/dsl.ts';
import { ofRun } from './completeness.ts';
import type { EventDocument } from './event-document.ts';
import type { EventPages } from './event-pages.ts';
import { aggregateEach, type Scopes, searchOn, type Target } from './event-scope.ts';

/** Lines of one request: the cluster holds all of its answers in memory, too. */
const REQUEST_LINES = 2_500;
/** Bytes of an answer for each line, besides its text. */
const AROUND = 1_024;

const ATTEMPT = z.object({ last: z.object({ value: z.number().nullable() }) });

interface Asked {
  at: number;
  target: Target;
  query: Query;
}

export class EventLines {
  readonly #searcher: Searcher;
  readonly #scopes: Scopes;
  readonly #pages: EventPages;

  constructor(searcher: Searcher, scopes: Scopes, pages: EventPages) {
    this.#searcher = searcher;
    this.#scopes = scopes;
    this.#pages = pages;
  }

  /** The newest OUTPUT lines of each step's highest attempt, oldest first. */
  async last(keys: readonly StepKey[], count: number): Promise<StoredEvent[][]> {
    const asked = await this.#asked(keys);
    for (let most = count; most >= 1; most = Math.floor(most / 2)) {
      const lines = await this.#read(asked, most);
      if (lines === null) continue;
      const found: StoredEvent[][] = keys.map(() => []);
      for (const [i, { at }] of asked.entries()) found[at] = lines[i] ?? [];
      return found;
    }
    throw tooHeavyLines();
  }

  async #asked(keys: readonly StepKey[]): Promise<Asked[]> {
    const scopes = await this.#scopes.ofEach(keys.map(({ taskId }) => taskId));
    const ofStep = (i: number): Query[] => {
      const key = keys[i] as StepKey;
      return [...ofRun(key), { term: { 'event.action': key.step } }];
    };
    const highest = await aggregateEach(this.#searcher, ATTEMPT, scopes, (i) => ({
      query: all(ofStep(i)),
      body: { size: 0, aggs: { last: { max: { field: 'shiplog.attempt' } } } },
    }));
    return scopes.flatMap(({ targets: [target] }, at): Asked[] => {
      const attempt = highest[at]?.aggregations?.last.value;
      if (target === undefined || attempt == null) return [];
      const lines = [
        { term: { 'shiplog.kind': 'OUTPUT' } },
        { term: { 'shiplog.attempt': attempt } },
      ];
      return [{ at, target, query: all([...ofStep(at), ...lines]) }];
    });
  }

  /** null: too much. */
  async #read(asked: readonly Asked[], most: number): Promise<StoredEvent[][] | null> {
    const found: StoredEvent[][] = [];
    const searches = Math.ceil(REQUEST_LINES / most);
    let left = ANSWER_MAX;
    for (let from = 0; from < asked.length; from += searches) {
      const lines = await this.#some(asked.slice(from, from + searches), most, left);
      if (lines === null) return null;
      for (const event of lines.flat()) left -= approximateBytes(event);
      if (left < 0) return null;
      found.push(...lines);
    }
    return found;
  }

  async #some(some: readonly Asked[], most: number, left: number): Promise<StoredEvent[][] | null> {
    const body = {
      size: most,
      _source: { excludes: ['shiplog.words'] },
      sort: [{ _seq_no: 'desc' }],
      seq_no_primary_term: true,
      track_total_hits: false,
    };
    try {
      const answers = await this.#searcher.search<EventDocument>(
        some.map(({ target, query }) => searchOn(target, query, body)),
        left + some.length * most * AROUND,
      );
      return await Promise.all(
        answers.map(async ({ hits }) => (await this.#pages.events(hits)).reverse()),
      );
    } catch (error) {
      if (error instanceof AnswerTooLong) return null;
      throw error;
    }
  }
}
