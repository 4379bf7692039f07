/**
 * ExportLogsServiceRequest in protobuf, record by record. The numbers are those of
 * opentelemetry/proto/logs/v1/logs.proto and common/v1/common.proto.
 */
import { type Attributes, emptyRecord, type FoundRecord, type LogRecord } from './log-record.ts';
import { ProtobufReader, WIRE } from './protobuf.ts';

/** Levels of lists within a value; what is deeper is left out. */
export const MAX_DEPTH = 16;

/** Throws ProtobufError at the byte where it is damaged: records before it were given already. */
export function* readProtobufLogs(bytes: Buffer): Generator<FoundRecord, void, undefined> {
  const request = new ProtobufReader(bytes);
  while (request.next()) {
    if (request.field === 1 && request.is(WIRE.bytes)) yield* resourceLogs(request.message());
    else if (request.field !== 1) request.skip();
  }
}

function* resourceLogs(message: ProtobufReader): Generator<FoundRecord, void, undefined> {
  const resource = resourceOf(message.again());
  while (message.next()) {
    if (message.field === 2 && message.is(WIRE.bytes)) {
      yield* scopeLogs(message.message(), resource);
    } else if (message.field !== 2) message.skip();
  }
}

function* scopeLogs(
  message: ProtobufReader,
  resource: Attributes,
): Generator<FoundRecord, void, undefined> {
  const origin = { resource, scope: scopeOf(message.again()) };
  while (message.next()) {
    if (message.field === 2 && message.is(WIRE.bytes)) {
      yield { origin, record: readRecord(message.message()) };
    } else if (message.field !== 2) message.skip();
  }
}

/** Looked for before the records are read: the wire knows no order. */
function resourceOf(message: ProtobufReader): Attributes {
  const attributes: Attributes = {};
  while (message.next()) {
    if (message.field !== 1 || message.wire !== WIRE.bytes) {
      message.skip();
      continue;
    }
    const resource = message.message();
    while (resource.next()) {
      if (resource.field === 1 && resource.is(WIRE.bytes)) readPair(resource.message(), attributes);
      else if (resource.field !== 1) resource.skip();
    }
  }
  return attributes;
}

function scopeOf(message: ProtobufReader): Attributes {
  const scope: Attributes = {};
  while (message.next()) {
    if (message.field !== 1 || message.wire !== WIRE.bytes) {
      message.skip();
      continue;
    }
    const fields = message.message();
    while (fields.next()) {
      if (!fields.is(WIRE.bytes)) continue;
      if (fields.field === 1) keep(scope, 'otel.scope.name', fields.text());
      else if (fields.field === 2) keep(scope, 'otel.scope.version', fields.text());
      else if (fields.field === 3) readPair(fields.message(), scope);
      else fields.skip();
    }
  }
  return scope;
}

function readRecord(message: ProtobufReader): LogRecord {
  const record = emptyRecord();
  while (message.next()) {
    const { field, wire } = message;
    if (field === 1 && wire === WIRE.fixed64) record.time = message.fixed64();
    else if (field === 11 && wire === WIRE.fixed64) record.observedTime = message.fixed64();
    else if (field === 2 && wire === WIRE.varint) record.severityNumber = message.number();
    else if (wire !== WIRE.bytes) message.skip();
    else if (field === 3) record.severityText = message.text();
    else if (field === 5) record.body = readValue(message.message(), 1);
    else if (field === 6) readPair(message.message(), record.attributes);
    else if (field === 9) record.traceId = message.bytes('hex');
    else if (field === 10) record.spanId = message.bytes('hex');
    else if (field === 12) record.eventName = message.text();
    else message.skip();
  }
  return record;
}

/** A KeyValue, put among the others. */
function readPair(message: ProtobufReader, into: Attributes, depth = 1): void {
  let key = '';
  let value: unknown;
  while (message.next()) {
    if (!message.is(WIRE.bytes)) continue;
    if (message.field === 1) key = message.text();
    else if (message.field === 2) value = readValue(message.message(), depth);
    else message.skip();
  }
  keep(into, key, value);
}

/** No name of a field may mean the object's own prototype. */
export function keep(into: Attributes, key: string, value: unknown): void {
  if (value === undefined || value === '') return;
  into[key === '__proto__' ? '_proto_' : key] = value;
}

/** An AnyValue; undefined: it is empty, of a kind that we do not know, or too deep. */
function readValue(message: ProtobufReader, depth: number): unknown {
  let value: unknown;
  while (message.next()) {
    const { field, wire } = message;
    if (field === 1 && wire === WIRE.bytes) value = message.text();
    else if (field === 2 && wire === WIRE.varint) value = message.number() !== 0;
    else if (field === 3 && wire === WIRE.varint) value = message.int64();
    else if (field === 4 && wire === WIRE.fixed64) value = message.double();
    else if (field === 5 && wire === WIRE.bytes) value = readList(message.message(), depth);
    else if (field === 6 && wire === WIRE.bytes) value = readPairs(message.message(), depth);
    else if (field === 7 && wire === WIRE.bytes) value = message.bytes('base64');
    else message.skip();
  }
  return value;
}

function readList(message: ProtobufReader, depth: number): unknown[] | undefined {
  if (depth >= MAX_DEPTH) return undefined;
  const list: unknown[] = [];
  while (message.next()) {
    if (message.field === 1 && message.is(WIRE.bytes)) {
      list.push(readValue(message.message(), depth + 1) ?? null);
    } else if (message.field !== 1) message.skip();
  }
  return list;
}

function readPairs(message: ProtobufReader, depth: number): Attributes | undefined {
  if (depth >= MAX_DEPTH) return undefined;
  const pairs: Attributes = {};
  while (message.next()) {
    if (message.field === 1 && message.is(WIRE.bytes)) {
      readPair(message.message(), pairs, depth + 1);
    } else if (message.field !== 1) message.skip();
  }
  return pairs;
}
