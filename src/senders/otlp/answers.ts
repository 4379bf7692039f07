/**
 * What a sender of OTLP is answered, in the encoding of its request: ExportLogsServiceResponse, or
 * google.rpc.Status for errors.
 */
import type { ErrorCode } from '../../domain/errors.ts';

export type Encoding = 'protobuf' | 'json';

export const CONTENT_TYPES: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** Records that can never be taken: the sender must not send them again. */
export interface PartialSuccess {
  rejected: number;
  message: string;
}

/** null: everything is stored, which is said by saying nothing. */
export function successBody(encoding: Encoding, partial: PartialSuccess | null): Buffer {
  if (encoding === 'json') {
    const body =
      partial === null
        ? {}
        : {
            partialSuccess: {
              rejectedLogRecords: String(partial.rejected),
              errorMessage: partial.message,
            },
          };
    return Buffer.from(JSON.stringify(body));
  }
  if (partial === null) return Buffer.alloc(0);
  const inner = Buffer.concat([numberField(1, partial.rejected), textField(2, partial.message)]);
  return Buffer.concat([varint((1 << 3) | 2), varint(inner.length), inner]);
}

export function statusBody(encoding: Encoding, code: ErrorCode, message: string): Buffer {
  const number = STATUS_CODES[code] ?? STATUS.INVALID_ARGUMENT;
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code: number, message }));
  return Buffer.concat([numberField(1, number), textField(2, message)]);
}

/** Codes of google.rpc.Code. */
const STATUS = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

const STATUS_CODES: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: STATUS.UNAUTHENTICATED,
  FORBIDDEN: STATUS.PERMISSION_DENIED,
  NOT_FOUND: STATUS.NOT_FOUND,
  METHOD_NOT_ALLOWED: STATUS.UNIMPLEMENTED,
  OVERLOADED: STATUS.RESOURCE_EXHAUSTED,
  STORE_UNAVAILABLE: STATUS.UNAVAILABLE,
  STORE_FULL: STATUS.UNAVAILABLE,
  SHUTTING_DOWN: STATUS.UNAVAILABLE,
  INTERNAL: STATUS.UNAVAILABLE,
};

function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function textField(field: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 128) {
    bytes.push((left % 128) | 128);
    left = Math.floor(left / 128);
  }
  bytes.push(left);
  return Buffer.from(bytes);
}
