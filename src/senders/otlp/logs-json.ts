/**
 * ExportLogsServiceRequest in JSON, record by record: names in lowerCamelCase, ids in hexadecimal,
 * 64-bit numbers as texts or numbers. A record that is none is given as null.
 */
import { ExactNumber } from '../../domain/event/exact-number.ts';
import { type Attributes, emptyRecord, type FoundRecord, type LogRecord } from './log-record.ts';
import { keep, MAX_DEPTH } from './logs-protobuf.ts';

type Json = Readonly<Record<string, unknown>>;

export function* readJsonLogs(request: unknown): Generator<FoundRecord | null, void, undefined> {
  for (const logs of messagesOf(request, 'resourceLogs')) {
    const resource: Attributes = {};
    readPairs(objectOf(objectOf(logs)?.resource)?.attributes, resource, 1);
    for (const scopeLogs of messagesOf(logs, 'scopeLogs')) {
      const origin = { resource, scope: scopeOf(objectOf(objectOf(scopeLogs)?.scope)) };
      for (const raw of messagesOf(scopeLogs, 'logRecords')) {
        const record = objectOf(raw);
        yield record === null ? null : { origin, record: readRecord(record) };
      }
    }
  }
}

/** What stands where a list of messages should is one that is none: it is told, not passed over. */
function messagesOf(parent: unknown, name: string): readonly unknown[] {
  const message = objectOf(parent);
  if (message === null) return [parent];
  const list = message[name] ?? [];
  return Array.isArray(list) ? (list as unknown[]) : [list];
}

function objectOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function scopeOf(scope: Json | null): Attributes {
  const attributes: Attributes = {};
  if (scope === null) return attributes;
  keep(attributes, 'otel.scope.name', textOf(scope.name));
  keep(attributes, 'otel.scope.version', textOf(scope.version));
  readPairs(scope.attributes, attributes, 1);
  return attributes;
}

function readRecord(raw: Json): LogRecord {
  const record = emptyRecord();
  record.time = nanoseconds(raw.timeUnixNano);
  record.observedTime = nanoseconds(raw.observedTimeUnixNano);
  record.severityNumber = typeof raw.severityNumber === 'number' ? raw.severityNumber : 0;
  record.severityText = textOf(raw.severityText);
  record.body = readValue(raw.body, 1);
  readPairs(raw.attributes, record.attributes, 1);
  record.traceId = hexId(raw.traceId);
  record.spanId = hexId(raw.spanId);
  record.eventName = textOf(raw.eventName);
  return record;
}

/** A text of digits or a number; what is none of both is no time. */
function nanoseconds(value: unknown): bigint {
  const text = value instanceof ExactNumber ? value.source : String(value);
  const number = /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
  return number === BigInt.asUintN(64, number) ? number : 0n;
}

/** Also in base64, which is JSON's form of bytes elsewhere. */
function hexId(value: unknown): string {
  if (typeof value !== 'string') return '';
  if (/^(?:[\w+/-]{22}==|[\w+/-]{11}=)$/.test(value)) {
    return Buffer.from(value, 'base64').toString('hex');
  }
  return /^[0-9a-f]{1,64}$/i.test(value) ? value.toLowerCase() : '';
}

function readPairs(pairs: unknown, into: Attributes, depth: number): void {
  for (const raw of listOf(pairs)) {
    const pair = objectOf(raw);
    if (pair !== null) keep(into, textOf(pair.key), readValue(pair.value, depth));
  }
}

function readValue(raw: unknown, depth: number): unknown {
  const value = objectOf(raw);
  if (value === null || depth > MAX_DEPTH) return undefined;
  if (typeof value.stringValue === 'string') return value.stringValue;
  if (typeof value.boolValue === 'boolean') return value.boolValue;
  if (value.intValue !== undefined) return wholeNumber(value.intValue);
  if (value.doubleValue !== undefined) return value.doubleValue;
  if (typeof value.bytesValue === 'string') return value.bytesValue;
  const values = objectOf(value.arrayValue)?.values;
  if (value.arrayValue !== undefined) {
    return listOf(values).map((one) => readValue(one, depth + 1) ?? null);
  }
  if (value.kvlistValue === undefined) return undefined;
  const into: Attributes = {};
  readPairs(objectOf(value.kvlistValue)?.values, into, depth + 1);
  return into;
}

function wholeNumber(value: unknown): unknown {
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : new ExactNumber(value);
}
