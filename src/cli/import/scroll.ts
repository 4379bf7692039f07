/**
 * An index whose documents have no sequence numbers, read from its first document to its last. There
 * is no position in it that would mean anything tomorrow: it is read anew then.
 *
 * The cluster remembers where a scroll stands and goes on with every request, also with one whose
 * answer was lost, or that some of its shards could not take part in. So a request is never
 * repeated: after a fault the index is read anew, and what was delivered counts once.
 */
import { CallError } from '../client.ts';
import { say } from '../output.ts';
import { type Cluster, ClusterError, type Hit } from './cluster.ts';

const SIZE = 500;
const KEEP = '10m';
/** How often it is begun anew. */
const ATTEMPTS = 10;

export interface ScrollPage {
  hits: Hit[];
  /** How many of them were not read before a fault. */
  fresh: number;
}

export class Scroll {
  readonly #cluster: Cluster;
  readonly #index: string;
  /** What the cluster holds open for it. */
  #id: string | null = null;
  /** The most that one reading came to. */
  #furthest = 0;

  constructor(cluster: Cluster, index: string) {
    this.#cluster = cluster;
    this.#index = index;
  }

  async *pages(): AsyncGenerator<ScrollPage> {
    for (let attempt = 1; ; attempt++) {
      try {
        yield* this.#once();
        return;
      } catch (error) {
        if (!isFault(error) || attempt === ATTEMPTS) throw error;
        say(`${error.message}; ${this.#index} is read from its start again`);
      } finally {
        await this.clear();
      }
    }
  }

  async *#once(): AsyncGenerator<ScrollPage> {
    const path = `${encodeURIComponent(this.#index)}/_search?scroll=${KEEP}&allow_partial_search_results=false`;
    let { answer } = await this.#cluster.post(path, { size: SIZE, sort: ['_doc'] });
    for (let read = 0; ; ) {
      this.#id = answer._scroll_id ?? null;
      if (answer._shards.failed > 0) throw new PartialAnswer(this.#cluster.url);
      const { hits } = answer.hits;
      if (hits.length === 0 || this.#id === null) return;
      read += hits.length;
      const fresh = Math.min(hits.length, Math.max(0, read - this.#furthest));
      this.#furthest = Math.max(this.#furthest, read);
      yield { hits, fresh };
      const next = { scroll: KEEP, scroll_id: this.#id };
      ({ answer } = await this.#cluster.postOnce('_search/scroll', next));
    }
  }

  /** The cluster need not hold it any longer. */
  async clear(): Promise<void> {
    const id = this.#id;
    this.#id = null;
    if (id !== null) await this.#cluster.remove('_search/scroll', { scroll_id: [id] });
  }
}

class PartialAnswer extends Error {
  constructor(url: string) {
    super(`${url} answered without some of its shards`);
  }
}

/** 404: the cluster has forgotten the scroll. */
function isFault(error: unknown): error is Error {
  if (error instanceof ClusterError) return error.status === 404;
  return error instanceof PartialAnswer || (error instanceof CallError && error.isTemporary);
}
