/**
 * Answers to `_bulk` and to single documents, as real clients read them: compact, `took`, `errors`,
 * `items` in this order (Fluent Bit looks for the text `"errors":false,"items":[`, Vector for
 * `"errors":true`), one item for each action, under its name, with the keys that Java requires.
 */
import type { DocumentOutcome } from '../senders.ts';
import type { ActionName } from './bulk-request.ts';
import type { ElasticsearchError } from './errors.ts';

export interface ItemFields {
  _index: string;
  _id: string | null;
  status: number;
  error?: { type: string; reason: string };
  [more: string]: unknown;
}
export type BulkReplyItem = { [action in ActionName]?: ItemFields };

export interface BulkReply {
  took: number;
  errors: boolean;
  items: BulkReplyItem[];
}

export interface Addressed {
  name: ActionName;
  index: string | null;
  id: string | null;
}

const SHARDS = { total: 1, successful: 1, failed: 0 };

/** The item of a document whose outcome is known. */
export function decidedItem(
  { name, index, id }: Addressed,
  { outcome, eventId, problem }: DocumentOutcome,
): ItemFields {
  const where = { _index: index ?? '', _id: id ?? eventId };
  if (outcome === 'REJECTED') {
    const reason = problem?.message ?? 'the document was refused';
    return { ...where, status: 400, error: { type: 'document_parsing_exception', reason } };
  }
  // Without an id of its own a document cannot be in anybody's way: it was sent before, that is all.
  const known = outcome === 'DUPLICATE' && id !== null;
  if (known && name === 'create') {
    const reason = `[${id}]: version conflict, document already exists (current version [1])`;
    return { ...where, status: 409, error: { type: 'version_conflict_engine_exception', reason } };
  }
  const result = known && name === 'index' ? 'noop' : 'created';
  return {
    ...where,
    _version: 1,
    result,
    _shards: SHARDS,
    _seq_no: 0,
    _primary_term: 1,
    status: result === 'noop' ? 200 : 201,
  };
}

export function refusedItem({ index, id }: Addressed, error: ElasticsearchError): ItemFields {
  return { _index: index ?? '', _id: id, status: error.status, error: error.shown };
}

export function bulkReply(took: number, items: BulkReplyItem[]): BulkReply {
  const errors = items.some((item) => Object.values(item).some((one) => one.error !== undefined));
  return { took, errors, items };
}
