/** Searches, many in one request, each with its time limit, and none that leaves a shard out. */
import { ROWS_MAX, tooManyRows } from '../../../domain/answer-bounds.ts';
import type { Hit, Searched } from '../query/page.ts';
import {
  AnswerTooLong,
  type Ask,
  type Connection,
  queryTimeout,
  unavailable,
} from './connection.ts';
import { type DocumentId, getDocuments } from './documents.ts';

export interface Search {
  index: string;
  preference?: string;
  body: Record<string, unknown>;
}

export interface SearchAnswer<S, A> extends Searched<S> {
  aggregations: A;
}

interface Response<S, A> {
  timed_out?: boolean;
  status?: number;
  error?: { type?: string; reason?: string; root_cause?: { reason?: string; type?: string }[] };
  hits?: { total?: { value: number }; hits: Hit<S>[] };
  aggregations?: A;
}

type Limits = Required<Pick<Ask, 'timeoutMs' | 'timeoutIs' | 'maxBytes'>>;

/** The connection's own limit comes after the cluster's. */
const GRACE_MS = 1_000;
/** More would be refused, or wait in line there. */
const SEARCHES_MAX = 500;

export class Searcher {
  readonly #connection: Connection;
  /** Of each search. */
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
  async search<S, A = undefined>(
    searches: readonly Search[],
    maxBytes?: number,
  ): Promise<SearchAnswer<S, A>[]> {
    const answers: SearchAnswer<S, A>[] = [];
    for (let at = 0; at < searches.length; at += SEARCHES_MAX) {
      answers.push(...(await this.#some<S, A>(searches.slice(at, at + SEARCHES_MAX), maxBytes)));
    }
    return answers;
  }

  async one<S, A = undefined>(search: Search): Promise<SearchAnswer<S, A>> {
    const [answer] = await this.search<S, A>([search]);
    return answer as SearchAnswer<S, A>;
  }

  async #some<S, A>(searches: readonly Search[], maxBytes?: number): Promise<SearchAnswer<S, A>[]> {
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
        this.#connection.expect<{ responses: Response<S, A>[] }>({
          ...{ method: 'POST', path: '/_msearch', body: lines, safe: true },
          ...limits,
        }),
      maxBytes,
    );
    return responses.map((response) => {
      if (response.timed_out === true) throw queryTimeout();
      const { error, hits } = response;
      if (error !== undefined || hits === undefined) {
        const cause = error?.root_cause?.[0];
        throw unavailable(
          `A search failed: ${cause?.reason ?? error?.reason ?? cause?.type ?? error?.type ?? '?'}`,
        );
      }
      return {
        hits: hits.hits,
        total: hits.total?.value ?? 0,
        aggregations: response.aggregations as A,
      };
    });
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
