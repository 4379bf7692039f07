/**
 * A `_bulk` request, item by item: an action line, and for most actions a line with the document.
 * Blank lines, CRLF and a missing last newline are fine; so is all else that an action line says.
 * One bad document does not harm the others: only where lines cannot be paired any more is the
 * request refused, before anything of it is stored.
 */
import { isUtf8 } from 'node:buffer';
import { ExactNumber, parseExactJson } from '../../domain/event/exact-number.ts';
import { wellFormed } from '../mapping/texts.ts';
import { ElasticsearchError } from './errors.ts';

export const ACTIONS = ['create', 'index', 'update', 'delete'] as const;
export type ActionName = (typeof ACTIONS)[number];

export interface BulkAction {
  name: ActionName;
  /** Of the action, else of the path; null: of neither. */
  index: string | null;
  id: string | null;
  /** The document's line in the body; null: the action has none. */
  line: Span | null;
}

interface Span {
  from: number;
  to: number;
}

/** Elasticsearch's own bounds. */
const MAX_INDEX_BYTES = 255;
const MAX_ID_BYTES = 512;
/** Of what stands before a document: more than an id, an index and a few words is a document. */
const MAX_ACTION_BYTES = 16 * 1024;
/** Of one document: parsing holds the event loop. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * The actions, paired with the lines of their documents, which are not read yet. Throws a request's
 * 400 where a line is no action and cannot be the rest of a broken document.
 */
export function* bulkActions(body: Buffer, pathIndex: string | null): Generator<BulkAction> {
  const lines = new Lines(body);
  let last: BulkAction | null = null;
  for (let line = lines.next(); line !== null; line = lines.next()) {
    const action = readAction(body, line, pathIndex);
    if (action === null) {
      // A document with a bare newline in it: what follows the newline is no action.
      if (last?.line != null && parseLine(body, last.line) === null) continue;
      throw new ElasticsearchError(
        400,
        'illegal_argument_exception',
        `Malformed action/metadata line [${lines.number}], expected create, index, update or delete in at most ${MAX_ACTION_BYTES} bytes; nothing of this request was stored`,
      );
    }
    if (action.name !== 'delete') action.line = lines.next();
    yield action;
    last = action;
  }
}

class Lines {
  readonly #body: Buffer;
  #at = 0;
  /** Of the line given last, from 1. */
  number = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** The next that is not blank; null: none. */
  next(): Span | null {
    while (this.#at < this.#body.length) {
      if (this.#body[this.#at] === NEWLINE) {
        this.#at++;
        this.number++;
        continue;
      }
      const newline = this.#body.indexOf(NEWLINE, this.#at);
      const span = { from: this.#at, to: newline === -1 ? this.#body.length : newline };
      this.#at = span.to + 1;
      this.number++;
      if (!isBlank(this.#body, span)) return span;
    }
    return null;
  }
}

function isBlank(body: Buffer, { from, to }: Span): boolean {
  for (let at = from; at < to; at++) {
    const byte = body[at];
    if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false;
  }
  return true;
}

function readAction(body: Buffer, line: Span, pathIndex: string | null): BulkAction | null {
  if (line.to - line.from > MAX_ACTION_BYTES) return null;
  const fields = parseLine(body, line)?.fields;
  if (fields === undefined) return null;
  for (const name of ACTIONS) {
    const meta = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) continue;
    const { _index, _id } = meta as { _index?: unknown; _id?: unknown };
    return { name, index: nameOf(_index) ?? pathIndex, id: nameOf(_id), line: null };
  }
  return null;
}

/** Ids are sent as numbers, too; what is empty is none. */
function nameOf(value: unknown): string | null {
  if (value instanceof ExactNumber) return value.source;
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const text = wellFormed(String(value));
  return text === '' ? null : text;
}

export interface ParsedDocument {
  fields: Record<string, unknown>;
  /** Bytes that were no UTF-8 are replaced. */
  replaced: boolean;
}

/** null: no JSON object. */
function parseLine(body: Buffer, { from, to }: Span): ParsedDocument | null {
  const text = body.toString('utf8', from, to);
  // What stands for bytes that were none may have been sent as it is.
  const replaced = text.includes('\ufffd') && !isUtf8(body.subarray(from, to));
  try {
    // A mark at the beginning of a file is no text.
    const value = parseExactJson(text.startsWith('\ufeff') ? text.slice(1) : text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { fields: value as Record<string, unknown>, replaced } : null;
  } catch {
    return null;
  }
}

/** The document of an action. Throws the item's 400. */
export function readDocument(body: Buffer, action: BulkAction): ParsedDocument & Target {
  const target = checkAction(action);
  const { line } = action;
  if (line === null) {
    throw new ElasticsearchError(400, 'document_parsing_exception', 'the document is missing');
  }
  if (line.to - line.from > MAX_DOCUMENT_BYTES) {
    throw new ElasticsearchError(
      400,
      'document_parsing_exception',
      `the document is over ${MAX_DOCUMENT_BYTES} bytes`,
    );
  }
  const parsed = parseLine(body, line);
  if (parsed === null) {
    throw new ElasticsearchError(
      400,
      'document_parsing_exception',
      'failed to parse: the document is not a JSON object',
    );
  }
  return { ...parsed, ...target };
}

export interface Target {
  index: string;
  id: string | null;
}

/** What can be said of an action without its document. Throws the item's 400. */
export function checkAction({ name, index, id }: Omit<BulkAction, 'line'>): Target {
  if (name === 'update' || name === 'delete') {
    throw new ElasticsearchError(
      400,
      'illegal_argument_exception',
      `Shiplog's log is append-only: it takes create and index, not ${name}`,
    );
  }
  if (index === null) {
    throw new ElasticsearchError(400, 'action_request_validation_exception', 'index is missing');
  }
  if (Buffer.byteLength(index) > MAX_INDEX_BYTES || /\p{Cc}/u.test(index)) {
    throw new ElasticsearchError(
      400,
      'invalid_index_name_exception',
      `Invalid index name: over ${MAX_INDEX_BYTES} bytes, or with control characters`,
    );
  }
  if (id !== null && Buffer.byteLength(id) > MAX_ID_BYTES) {
    throw new ElasticsearchError(
      400,
      'illegal_argument_exception',
      `id is too long, must be no longer than ${MAX_ID_BYTES} bytes`,
    );
  }
  return { index, id };
}
