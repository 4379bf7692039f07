/**
 * Tail cursors: where a reader stands in every shard that it follows, as one opaque text.
 *
 * A browser keeps it in a URL or a header, so it is packed: bytes, variable-length numbers, days
 * as differences, base64url. It carries the kind of stream and a hash of the filter, so that it
 * cannot go on with another one, and a checksum, so that damage is told from both.
 *
 *     version · kind · 6 bytes of filter hash · day shards · other shards · 2 bytes of checksum
 */
import { hash } from 'node:crypto';
import { ShiplogError } from '../errors.ts';
import type { EventFilter, TaskFilter } from '../search/filter.ts';
import type { SearchTerm } from '../search/search.ts';
import { ByteReader, ByteWriter } from './bytes.ts';

const VERSION = 1;
/** The streams that have cursors; the place in this list is what is written. */
export const CURSOR_KINDS = ['tail', 'tasks', 'runs'] as const;
export type CursorKind = (typeof CURSOR_KINDS)[number];

const HASH_BYTES = 6;
const CHECKSUM_BYTES = 2;
/** No cursor of ours comes near (90 shards: under 1 KB); what is longer is not decoded at all. */
const TEXT_MAX = 256 * 1_024;
const DAY_MS = 86_400_000;

/** history: unsigned, 32 bits. seq: everything at or below it was delivered. */
export interface ShardCursorLike {
  shard: string;
  history: number;
  seq: number;
}

export interface CursorContent {
  kind: CursorKind;
  /** What `hashFilter` gave. */
  filterHash: string;
  shards: readonly ShardCursorLike[];
}

interface DayShard {
  day: number;
  number: number;
  cursor: ShardCursorLike;
}

export function encodeCursor({ kind, filterHash, shards }: CursorContent): string {
  const out = new ByteWriter();
  out.byte(VERSION);
  out.byte(CURSOR_KINDS.indexOf(kind));
  out.bytes(Buffer.from(filterHash, 'base64url').subarray(0, HASH_BYTES));
  const days: DayShard[] = [];
  const others: ShardCursorLike[] = [];
  for (const cursor of shards) {
    const day = dayShard(cursor);
    if (day === null) others.push(cursor);
    else days.push(day);
  }
  days.sort((a, b) => a.day - b.day || a.number - b.number);
  out.varint(days.length);
  let previous = { day: 0, number: -1 };
  for (const shard of days) {
    writeDayShard(out, shard, previous);
    previous = shard;
  }
  out.varint(others.length);
  for (const { shard, history, seq } of others) {
    out.text(shard);
    out.varint(history);
    out.varint(seq);
  }
  const body = out.finish();
  return Buffer.concat([body, checksum(body)]).toString('base64url');
}

/** `2026-11-24/0`; null for any other name, also for a day that does not exist. */
function dayShard(cursor: ShardCursorLike): DayShard | null {
  const match = /^(\d{4}-\d\d-\d\d)\/(0|[1-9]\d{0,5})$/.exec(cursor.shard);
  const day = Date.parse(`${match?.[1]}T00:00:00Z`) / DAY_MS;
  if (match === null || !(day >= 0)) return null;
  const shard = { day, number: Number(match[2]), cursor };
  return dayName(shard.day, shard.number) === cursor.shard ? shard : null;
}

/** The day of a shard that is named for one, in days since 1970; null: it holds all days. */
export function dayOfShard(shard: string): number | null {
  return dayShard({ shard, history: 0, seq: 0 })?.day ?? null;
}

/** The day of a moment, in the same days. */
export function dayOfTime(at: number): number {
  return Math.floor(at / DAY_MS);
}

function dayName(day: number, number: number): string {
  return `${new Date(day * DAY_MS).toISOString().slice(0, 10)}/${number}`;
}

/** The shard number that needs no byte: the next one of the same day, 0 on another. */
function expectedNumber(dayDelta: number, previous: { number: number }): number {
  return dayDelta === 0 ? previous.number + 1 : 0;
}

function writeDayShard(
  out: ByteWriter,
  { day, number, cursor }: DayShard,
  previous: { day: number; number: number },
): void {
  const delta = day - previous.day;
  const expected = expectedNumber(delta, previous) === number;
  const wide = cursor.history > 0xffff;
  out.varint(delta * 4 + (expected ? 0 : 2) + (wide ? 1 : 0));
  if (!expected) out.varint(number);
  out.fixed(cursor.history, wide ? 4 : 2);
  out.varint(cursor.seq);
}

function checksum(body: Uint8Array): Buffer {
  return hash('sha256', body, 'buffer').subarray(0, CHECKSUM_BYTES);
}

/**
 * The shards of a cursor. Throws CURSOR_INVALID where it is damaged or not ours, CURSOR_MISMATCH
 * where it belongs to another kind of stream or another filter; both name `field`.
 */
export function decodeCursor(
  text: string,
  expected: { kind: CursorKind; filterHash: string },
  field = 'after',
): ShardCursorLike[] {
  const body = checkedBody(text);
  if (body === null) {
    throw new ShiplogError('CURSOR_INVALID', `${field} is not a cursor of this server`, { field });
  }
  if (body[0] !== VERSION) {
    throw new ShiplogError(
      'CURSOR_INVALID',
      `${field} is a cursor of another version of this server; begin again without a cursor`,
      { field },
    );
  }
  const kind = CURSOR_KINDS[body[1] ?? -1];
  if (kind !== expected.kind) {
    throw new ShiplogError(
      'CURSOR_MISMATCH',
      `${field} is a cursor of "${kind ?? 'another stream'}", this stream is "${expected.kind}"`,
      { field },
    );
  }
  const filterHash = Buffer.from(body.subarray(2, 2 + HASH_BYTES)).toString('base64url');
  if (filterHash !== expected.filterHash) {
    throw new ShiplogError(
      'CURSOR_MISMATCH',
      `${field} belongs to another filter: use the filter that it was made with, or begin again without a cursor`,
      { field },
    );
  }
  const shards = readShards(new ByteReader(body, 2 + HASH_BYTES));
  if (shards === null) {
    throw new ShiplogError('CURSOR_INVALID', `${field} is damaged`, { field });
  }
  return shards;
}

function checkedBody(text: string): Uint8Array | null {
  if (text.length > TEXT_MAX) return null;
  const bytes = Buffer.from(text, 'base64url');
  // Buffer.from skips what it does not know; only the exact text is ours.
  if (bytes.toString('base64url') !== text) return null;
  if (bytes.length < 2 + HASH_BYTES + CHECKSUM_BYTES) return null;
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  return checksum(body).equals(bytes.subarray(-CHECKSUM_BYTES)) ? body : null;
}

/** null where the bytes do not hold what they announce. */
function readShards(from: ByteReader): ShardCursorLike[] | null {
  const shards: ShardCursorLike[] = [];
  let previous = { day: 0, number: -1 };
  for (let left = from.varint(); left > 0 && !from.failed; left--) {
    const head = from.varint();
    const delta = Math.floor(head / 4);
    const number = head & 2 ? from.varint() : expectedNumber(delta, previous);
    const history = from.fixed(head & 1 ? 4 : 2);
    previous = { day: previous.day + delta, number };
    if (previous.day > 2_932_896) return null; // 9999-12-31
    shards.push({ shard: dayName(previous.day, number), history, seq: from.varint() });
  }
  for (let left = from.varint(); left > 0 && !from.failed; left--) {
    shards.push({ shard: from.text(), history: from.varint(), seq: from.varint() });
  }
  return from.failed || !from.atEnd ? null : shards;
}

/**
 * What a cursor remembers of a filter. The order of keys and of lists, repeated entries, empty
 * lists and undefined fields make no difference; nor does the spelling of an equal search.
 */
export function hashFilter(filter: EventFilter | TaskFilter | { taskId: string }): string {
  const parts = Object.entries(filter)
    .map(([key, value]) => [key, canonicalField(key, value)] as const)
    .filter(([, value]) => value !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify(parts), 'buffer')
    .subarray(0, HASH_BYTES)
    .toString('base64url');
}

function canonicalField(key: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (key === 'search') return setOf((value as { terms: SearchTerm[] }).terms);
  if (Array.isArray(value)) return value.length === 0 ? null : setOf(value);
  return JSON.stringify(value);
}

function setOf(values: readonly unknown[]): string {
  const texts = values.map((value) =>
    typeof value === 'object' && value !== null
      ? JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : JSON.stringify(value),
  );
  return JSON.stringify([...new Set(texts)].sort());
}
