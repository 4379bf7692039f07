/** Pages of views. Of runs that searches may not show as they are, what is in memory is taken. */
import type { Page, PageRequest } from '../../../domain/cursor/page.ts';
import type { Searcher } from '../cluster/searcher.ts';
import { all, oneOf } from '../query/dsl.ts';
import { type Candidate, type Found, searchInMemory } from '../query/memory-search.ts';
import {
  type Answered,
  type Hit,
  type ListSearch,
  merged,
  pageSearches,
  readPage,
  type Searched,
  sortOf,
} from '../query/page.ts';

/** All documents that there are of some hosts: those that are stored of these do not count. */
export interface Overlay<T> {
  hosts: readonly string[];
  candidates: readonly Candidate<T>[];
}

interface ListPage<T> {
  list: ListSearch;
  page: PageRequest;
  overlay?: Overlay<T> | undefined;
}

export class PageReader {
  readonly #searcher: Searcher;

  constructor(searcher: Searcher) {
    this.#searcher = searcher;
  }

  /** `nodesOf`: what hits stand for; null: there is none of it any more. */
  async read<S, T>(
    index: string,
    lists: readonly ListPage<T>[],
    source: readonly string[],
    nodesOf: (hits: readonly Hit<S>[]) => Promise<(T | null)[]>,
  ): Promise<Page<T>[]> {
    const searches = lists.map(({ list, page, overlay }) =>
      pageSearches(overlay === undefined ? list : without(list, overlay.hosts), page),
    );
    const answers = await this.#searcher.search<S>(
      searches.flat().map((body) => ({ index, body: { ...body, _source: source } })),
    );
    let next = 0;
    const pages = lists.map(({ list, page, overlay }) => {
      const both = pageSearches(list, page).map((search) => {
        const found: Answered<Hit<S> | Found<T>> = answers[next++] as Searched<S>;
        if (overlay === undefined) return found;
        return merged(sortOf(search), false, [found, searchInMemory(search, overlay.candidates)]);
      });
      return readPage(list, page, both);
    });
    const hits = pages.flatMap(({ rows }) => rows.flatMap(({ node }) => (isHit(node) ? node : [])));
    const nodes = (await nodesOf(hits)).values();
    return pages.map((page) => ({
      ...page,
      rows: page.rows.flatMap(({ key, node: row }) => {
        const node = isHit(row) ? nodes.next().value : row.node;
        return node == null ? [] : [{ key, node }];
      }),
    }));
  }
}

function isHit<S, T>(row: Hit<S> | Found<T>): row is Hit<S> {
  return !('node' in row);
}

function without({ query, sort }: ListSearch, hosts: readonly string[]): ListSearch {
  return { query: all([query], oneOf('host.name', hosts)), sort };
}
