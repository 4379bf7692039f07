/** Errors in Elasticsearch's shape, which all of its clients show with type and reason. */
import { ERROR_CODES, type ErrorCode, type ShiplogError } from '../../domain/errors.ts';

/** A refusal of a request or of one item. */
export class ElasticsearchError extends Error {
  override readonly name = 'ElasticsearchError';
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, reason: string) {
    super(reason);
    this.status = status;
    this.type = type;
  }

  /** The cause, as items have it. */
  get shown(): { type: string; reason: string } {
    return { type: this.type, reason: this.message };
  }

  /** The body of an answer. */
  get body(): Record<string, unknown> {
    return { error: { root_cause: [this.shown], ...this.shown }, status: this.status };
  }
}

const TYPES: Partial<Record<ErrorCode, string>> = {
  BAD_REQUEST: 'parse_exception',
  UNAUTHENTICATED: 'security_exception',
  FORBIDDEN: 'security_exception',
  NOT_FOUND: 'resource_not_found_exception',
  METHOD_NOT_ALLOWED: 'method_not_allowed_exception',
  BODY_TOO_LARGE: 'content_too_long_exception',
  UNSUPPORTED_MEDIA_TYPE: 'media_type_header_exception',
  OVERLOADED: 'es_rejected_execution_exception',
  STORE_UNAVAILABLE: 'unavailable_shards_exception',
  STORE_FULL: 'cluster_block_exception',
  SHUTTING_DOWN: 'node_closed_exception',
  INTERNAL: 'exception',
};

export function elasticsearchError({ code, message }: ShiplogError): ElasticsearchError {
  return new ElasticsearchError(
    ERROR_CODES[code].status,
    TYPES[code] ?? 'illegal_argument_exception',
    message,
  );
}

/** What a whole request is refused with only for now: it may be sent again as it is. */
const FOR_NOW: ReadonlySet<ErrorCode> = new Set([
  'OVERLOADED',
  'STORE_UNAVAILABLE',
  'STORE_FULL',
  'SHUTTING_DOWN',
]);

export function isForNow({ code }: ShiplogError): boolean {
  return FOR_NOW.has(code);
}
