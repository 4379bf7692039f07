/** Searches, many in one request, each with its time limit, and none that leaves a shard out. */
import type { z } from 'zod';
import { ROWS_MAX, tooManyRows } from '../../../domain/answer-bounds.ts';
import type { Hit, Searched } from '../query/page.ts';
import { damaged, isCount, isObject, readAnswer } from './answer.ts';
import {
  AnswerTooLong,
  type Ask,
  type Connection,
  queryTimeout,
  type Refusal,
  reasonOf,
  unavailable,
} from './connection.ts';
import { type DocumentId, getDocuments } from './documents.ts';

export interface Search {
  index: string;
  preference?: string;
  body: Record<string, unknown>;
}

/** What was computed of all that match; null: none of the indices is there. */
export interface Aggregated<A> {
  total: number;
  aggregations: A | null;
}

/** Typed as it should be; `readHits` checks it. */
interface Response<S> extends Refusal {
  timed_out?: boolean;
  _shards?: { total?: number };
  hits?: { total?: { value: number }; hits: Hit<S>[] };
  aggregations?: unknown;
}

type Limits = Required<Pick<Ask, 'timeoutMs' | 'timeoutIs' | 'maxBytes'>>;

/** How much longer than the cluster's own time limit an answer is waited for. */
const GRACE_MS = 1_000;
/** More would be refused, or wait in line there. */
const SEARCHES_MAX = 500;

export class Searcher {
  readonly #connection: Connection;
  /** The time limit of each search. */
  readonly timeoutMs: number;

  constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.timeoutMs = timeoutMs;
  }

  /**
   * Answers in the order of the searches. Indices that are not there have nothing. AnswerTooLong
   * where those of one request are longer than `maxBytes`, QUERY_TOO_COMPLEX where nothing is said
   * of it and they are over 64 MiB.
   */
  async search<S>(searches: readonly Search[], maxBytes?: number): Promise<Searched<S>[]> {
    const responses = await this.#all<S>(searches, maxBytes);
    return responses.map((response, i) => readHits(response, searches[i] as Search));
  }

  async one<S>(search: Search): Promise<Searched<S>> {
    const [answer] = await this.search<S>([search]);
    return answer as Searched<S>;
  }

  /** What is computed of those that match, as the schema says it must be. */
  async aggregate<A>(searches: readonly Search[], schema: z.ZodType<A>): Promise<Aggregated<A>[]> {
    const responses = await this.#all<unknown>(searches);
    return responses.map((response, i) => {
      const search = searches[i] as Search;
      const { total } = readHits(response, search);
      const { aggregations, _shards } = response;
      if (aggregations === undefined && _shards?.total === 0) return { total, aggregations: null };
      return { total, aggregations: readAnswer(schema, aggregations, requestOf(search)) };
    });
  }

  async #all<S>(searches: readonly Search[], maxBytes?: number): Promise<Response<S>[]> {
    const answers: Response<S>[] = [];
    for (let at = 0; at < searches.length; at += SEARCHES_MAX) {
      answers.push(...(await this.#some<S>(searches.slice(at, at + SEARCHES_MAX), maxBytes)));
    }
    return answers;
  }

  async #some<S>(searches: readonly Search[], maxBytes?: number): Promise<Response<S>[]> {
    let lines = '';
    for (const { index, preference, body } of searches) {
      const header = {
        index,
        preference,
        ignore_unavailable: true,
        allow_no_indices: true,
        allow_partial_search_results: false,
      };
      const limited = { timeout: `${this.timeoutMs}ms`, ...body };
      lines += `${JSON.stringify(header)}\n${JSON.stringify(limited)}\n`;
    }
    const { responses } = await this.#limited(
      (limits) =>
        this.#connection.expect<{ responses?: Response<S>[] }>({
          ...{ method: 'POST', path: '/_msearch', body: lines, safe: true },
          ...limits,
        }),
      maxBytes,
    );
    if (!Array.isArray(responses) || responses.length !== searches.length) {
      throw damaged('POST /_msearch', 'responses', 'it is not about what was asked');
    }
    return responses;
  }

  /** Documents by id, as they are now; null where there is none. */
  async documents<S>(ids: readonly DocumentId[], source: readonly string[]): Promise<(S | null)[]> {
    const docs = await this.#limited((limits) =>
      getDocuments<S>(this.#connection, ids, source, limits),
    );
    return docs.map((doc) => doc?.source ?? null);
  }

  /** Runs `read` within the limits of a query; `maxBytes`: the caller's own. */
  async #limited<T>(read: (limits: Limits) => Promise<T>, maxBytes?: number): Promise<T> {
    const timeoutMs = this.timeoutMs + GRACE_MS;
    try {
      return await read({
        ...{ timeoutMs, timeoutIs: 'QUERY_TIMEOUT' },
        maxBytes: maxBytes ?? ROWS_MAX,
      });
    } catch (error) {
      if (error instanceof AnswerTooLong && maxBytes === undefined) throw tooManyRows();
      throw error;
    }
  }
}

/** By hand: a page has thousands of hits. */
function readHits<S>(response: Response<S> | null, search: Search): Searched<S> {
  const wrong = (field: string, problem: string) => damaged(requestOf(search), field, problem);
  if (!isObject(response)) throw wrong('responses', 'it is no object');
  const { timed_out, error, hits } = response as Response<S>;
  if (timed_out === true) throw queryTimeout();
  if (error !== undefined) throw unavailable(`A search failed: ${reasonOf({ error })}`);
  if (!Array.isArray(hits?.hits)) throw wrong('hits.hits', 'it is no list');
  const total = hits.total === undefined ? 0 : hits.total?.value;
  if (!isCount(total)) throw wrong('hits.total.value', 'it is no number');
  const { _source: source, sort } = search.body;
  for (const hit of hits.hits) {
    if (typeof hit?._id !== 'string') throw wrong('hits.hits._id', 'it is no text');
    if (source !== false && !isObject(hit._source))
      throw wrong('hits.hits._source', 'it is missing');
    if (sort !== undefined && !Array.isArray(hit.sort))
      throw wrong('hits.hits.sort', 'it is no list');
  }
  return { hits: hits.hits, total };
}

function requestOf({ index }: Search): string {
  return `POST /_msearch of ${index}`;
}
