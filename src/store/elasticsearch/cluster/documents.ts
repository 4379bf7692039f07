/**
 * Documents by id, as they are now: the one way in which `_mget` is asked and its answer believed.
 *
 * A shard without a copy is told in the document's own place, with HTTP 200. Whoever took that for
 * "there is none" would fold events into an empty state and write it over what is stored.
 */
import type { z } from 'zod';
import { damaged, isCount, isObject, readAnswer } from './answer.ts';
import {
  AnswerTooLong,
  type Ask,
  type Connection,
  type Refusal,
  reasonOf,
  unavailable,
} from './connection.ts';

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
    throw damaged(`_mget of ${ids.length} documents`, 'docs', 'it is not about what was asked');
  }
  return docs.map((doc, i) => read(doc, ids[i] as DocumentId));
}

/** Bytes of one answer if there may be thousands of documents. */
export const PART_BYTES = 32 * 1024 * 1024;
const PART = 2_000;

/** The same for any number of documents of any size: in as many answers as it takes. */
export async function getAllDocuments<S>(
  connection: Connection,
  ids: readonly DocumentId[],
  source: readonly string[],
): Promise<(StoredDocument<S> | null)[]> {
  const docs: (StoredDocument<S> | null)[] = [];
  for (let size = PART; docs.length < ids.length; ) {
    const part = ids.slice(docs.length, docs.length + size);
    // One alone is as long as it is.
    const limits = part.length === 1 ? {} : { maxBytes: PART_BYTES };
    try {
      docs.push(...(await getDocuments<S>(connection, part, source, limits)));
    } catch (error) {
      if (!(error instanceof AnswerTooLong)) throw error;
      if (part.length === 1) throw unavailable('A document is longer than an answer may be', error);
      size = Math.ceil(part.length / 2);
    }
  }
  return docs;
}

/** The same for few documents, each of which is what the schema says. */
export async function getDocumentsAs<S>(
  schema: z.ZodType<S>,
  connection: Connection,
  ids: readonly DocumentId[],
): Promise<(StoredDocument<S> | null)[]> {
  const found = await getDocuments<unknown>(connection, ids);
  return found.map((doc, i) => {
    if (doc === null) return null;
    return { ...doc, source: readAnswer(schema, doc.source, requestOf(ids[i] as DocumentId)) };
  });
}

/** By hand: the states of thousands of runs come in one answer. */
function read<S>(doc: Doc<S> | null, of: DocumentId): StoredDocument<S> | null {
  if (!isObject(doc)) throw damaged(requestOf(of), 'docs', 'it is no object');
  const { error, found, _source, _seq_no, _primary_term } = doc as Doc<S>;
  if (error !== undefined) {
    if (error?.type === 'index_not_found_exception') return null;
    throw unavailable(`A document could not be read: ${reasonOf(doc as Refusal)}`);
  }
  if (found === false) return null;
  if (!isObject(_source)) {
    throw damaged(requestOf(of), '_source', 'it has neither the document nor a reason');
  }
  if (!isCount(_seq_no) || !isCount(_primary_term)) {
    throw damaged(requestOf(of), '_seq_no, _primary_term', 'they are no numbers');
  }
  return { source: _source as S, seqNo: _seq_no, term: _primary_term };
}

function requestOf({ index, id }: DocumentId): string {
  return `_mget of ${index}/${id}`;
}
