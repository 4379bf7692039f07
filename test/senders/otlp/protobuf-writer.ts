/** ExportLogsServiceRequest in protobuf, as an exporter writes it: for tests, so as simple as can be. */

export type AnyValue = string | number | boolean | AnyValue[] | { [name: string]: AnyValue };

export interface TestRecord {
  time?: bigint;
  severityNumber?: number;
  body?: AnyValue;
  attributes?: Record<string, AnyValue>;
  traceId?: string;
}

export interface TestLogs {
  resource?: Record<string, AnyValue>;
  records: TestRecord[];
}

export function protobufLogs({ resource = {}, records }: TestLogs): Buffer {
  const scopeLogs = Buffer.concat(records.map((record) => field(2, recordOf(record))));
  const resourceLogs = Buffer.concat([field(1, pairs(1, resource)), field(2, scopeLogs)]);
  return field(1, resourceLogs);
}

function recordOf({ time, severityNumber, body, attributes = {}, traceId }: TestRecord): Buffer {
  const parts: Buffer[] = [];
  if (time !== undefined) parts.push(tag(1, 1), fixed64(time));
  if (severityNumber !== undefined) parts.push(tag(2, 0), varint(BigInt(severityNumber)));
  parts.push(pairs(6, attributes));
  if (traceId !== undefined) parts.push(field(9, Buffer.from(traceId, 'hex')));
  if (body !== undefined) parts.push(field(5, value(body)));
  return Buffer.concat(parts);
}

function pairs(number: number, attributes: Record<string, AnyValue>): Buffer {
  return Buffer.concat(
    Object.entries(attributes).map(([key, of]) =>
      field(number, Buffer.concat([field(1, Buffer.from(key)), field(2, value(of))])),
    ),
  );
}

function value(of: AnyValue): Buffer {
  if (typeof of === 'string') return field(1, Buffer.from(of));
  if (typeof of === 'boolean') return Buffer.concat([tag(2, 0), varint(of ? 1n : 0n)]);
  if (typeof of === 'number' && Number.isInteger(of)) {
    return Buffer.concat([tag(3, 0), varint(BigInt.asUintN(64, BigInt(of)))]);
  }
  if (typeof of === 'number') {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(of);
    return Buffer.concat([tag(4, 1), bytes]);
  }
  if (Array.isArray(of)) return field(5, Buffer.concat(of.map((one) => field(1, value(one)))));
  return field(6, pairs(1, of));
}

function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([tag(number, 2), varint(BigInt(bytes.length)), bytes]);
}

function tag(number: number, wire: number): Buffer {
  return varint(BigInt((number << 3) | wire));
}

function fixed64(number: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(number);
  return bytes;
}

function varint(number: bigint): Buffer {
  const bytes: number[] = [];
  let left = number;
  for (; left >= 128n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
}
