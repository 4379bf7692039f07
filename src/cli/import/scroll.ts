/**
 * An index whose documents have no sequence numbers any more, read from its first document to its
 * last. There is no position in it that would mean anything tomorrow: it is read anew then.
 */
import { type Cluster, ClusterError, type Hit, type SearchAnswer } from './cluster.ts';

const SIZE = 500;
const KEEP = '10m';
/** How often it is begun anew, because the cluster forgot the scroll. */
const ATTEMPTS = 3;

export async function* scrollThrough(cluster: Cluster, index: string): AsyncGenerator<Hit[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      yield* scrollOnce(cluster, index);
      return;
    } catch (error) {
      const isForgotten = error instanceof ClusterError && error.status === 404;
      if (!isForgotten || attempt === ATTEMPTS) throw error;
    }
  }
}

async function* scrollOnce(cluster: Cluster, index: string): AsyncGenerator<Hit[]> {
  const path = `${encodeURIComponent(index)}/_search?scroll=${KEEP}&allow_partial_search_results=false`;
  let id: string | undefined;
  try {
    let answer: SearchAnswer;
    ({ answer } = await cluster.post(path, { size: SIZE, sort: ['_doc'] }));
    for (;;) {
      id = answer._scroll_id;
      if (answer.hits.hits.length === 0 || id === undefined) return;
      yield answer.hits.hits;
      ({ answer } = await cluster.post('_search/scroll', { scroll: KEEP, scroll_id: id }));
    }
  } finally {
    if (id !== undefined) await cluster.remove('_search/scroll', { scroll_id: [id] });
  }
}
