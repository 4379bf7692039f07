/**
 * Documents by id, as they are now: the one way in which `_mget` is asked and its answer believed.
 *
 * A shard without a copy is told in the document's own place, with HTTP 200. Whoever took that for
 * "there is none" would fold events into an empty state and write it over what is stored.
 */
import { type Ask, type Connection, type Refusal, reasonOf, unavailable } from './connection.ts';

export interface DocumentId {
  index: string;
  id: string;
  routing?: string;
}

export interface StoredDocument<S> {
  source: S;
  seqNo: number;
  term: number;
}

interface Doc<S> extends Refusal {
  found?: unknown;
  _source?: S;
  _seq_no?: unknown;
  _primary_term?: unknown;
}

/**
 * In the order of `ids`; null: there is none, or no such index. Throws STORE_UNAVAILABLE where one
 * of them cannot be read now. `source`: the parts of each that are wanted, all by default.
 */
export async function getDocuments<S>(
  connection: Connection,
  ids: readonly DocumentId[],
  source: readonly string[] = [],
  limits: Pick<Ask, 'timeoutMs' | 'timeoutIs' | 'maxBytes'> = {},
): Promise<(StoredDocument<S> | null)[]> {
  if (ids.length === 0) return [];
  const { docs } = await connection.expect<{ docs?: Doc<S>[] }>({
    method: 'POST',
    path: '/_mget',
    query: source.length === 0 ? {} : { _source_includes: source.join(',') },
    body: { docs: ids.map(({ index, id, routing }) => ({ _index: index, _id: id, routing })) },
    safe: true,
    ...limits,
  });
  if (!Array.isArray(docs) || docs.length !== ids.length) {
    throw unavailable('Documents could not be read: the answer is not about what was asked');
  }
  return docs.map(read);
}

function read<S>(doc: Doc<S>): StoredDocument<S> | null {
  if (doc.error !== undefined) {
    if (doc.error.type === 'index_not_found_exception') return null;
    throw unavailable(`A document could not be read: ${reasonOf(doc)}`);
  }
  if (doc.found === false) return null;
  const { _source, _seq_no, _primary_term } = doc;
  if (typeof _source !== 'object' || typeof _seq_no !== 'number') {
    throw unavailable('A document could not be read: its answer has neither it nor a reason');
  }
  return { source: _source, seqNo: _seq_no, term: Number(_primary_term) };
}
