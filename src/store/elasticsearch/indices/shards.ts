/**
 * Where every shard of the log stands: one stats answer tells the primary's node, its history and
 * its global checkpoint. What is at or below that checkpoint is on every in-sync copy and is never
 * rolled back.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ShardHead } from '../../store.ts';
import { damaged } from '../cluster/answer.ts';
import { type Connection, reasonOf, unavailable } from '../cluster/connection.ts';
import { dayAt, type Names, parseShard, shardName } from './names.ts';

export interface ShardInfo {
  shard: string;
  day: string;
  index: string;
  number: number;
  history: number;
  /** The primary's. */
  node: string;
  /** Events that are settled on that node; may be behind `seq` where an old node answered. */
  settled: number;
  /** The greatest settled seq that was ever told. */
  seq: number;
  /** The greatest seq that the primary has, settled or not: searches may show all of it. */
  greatest: number;
  /** Refreshes that the primary has completed. */
  refreshes: number;
}

/**
 * A copy of a shard. One that is starting does not say everything; what it says must be right: a
 * checkpoint that is no number would be an end of the log that nothing is compared with, and another
 * history ends everybody's cursors.
 */
const COPY = z.object({
  routing: z.object({ state: z.string(), primary: z.boolean(), node: z.string().nullable() }),
  seq_no: z
    .object({ global_checkpoint: z.int().min(-1), max_seq_no: z.int().min(-1).optional() })
    .nullish(),
  commit: z
    .object({ user_data: z.object({ history_uuid: z.string().optional() }).nullish() })
    .nullish(),
  refresh: z.object({ external_total: z.int().nonnegative() }).nullish(),
});
type Copy = z.infer<typeof COPY>;

const STATISTICS = z.object({
  indices: z
    .record(
      z.string(),
      z.object({ uuid: z.string(), shards: z.record(z.string(), z.array(COPY)).optional() }),
    )
    .optional(),
});
const INDICES = z.record(z.string(), z.unknown());

const FULL_MS = 5_000;
const BUSY_MS = 60_000;

const FILTER = [
  'error',
  'indices.*.uuid',
  ...[
    'routing',
    'seq_no.global_checkpoint',
    'seq_no.max_seq_no',
    'commit.user_data.history_uuid',
    'refresh.external_total',
  ].map((part) => `indices.*.shards.*.${part}`),
].join(',');

export class Shards {
  readonly #connection: Connection;
  readonly #names: Names;
  /** The last answer about each shard that is known to exist. */
  readonly #known = new Map<string, ShardInfo>();
  readonly #movedAt = new Map<string, number>();
  readonly #now: () => number;
  #fullAt = Number.NEGATIVE_INFINITY;

  constructor(connection: Connection, names: Names, now: () => number) {
    this.#connection = connection;
    this.#names = names;
    this.#now = now;
  }

  /**
   * All shards. Days that have not moved for a minute are asked for every five seconds only:
   * statistics of months of quiet shards would cost more than the log itself.
   */
  async current(): Promise<ShardInfo[]> {
    const now = performance.now();
    if (now - this.#fullAt > FULL_MS) {
      await this.read(null);
      this.#fullAt = now;
    } else {
      const busy = new Set([dayAt(this.#now())]);
      for (const [day, at] of this.#movedAt) if (now - at < BUSY_MS) busy.add(day);
      await this.#ask([...busy].map((day) => this.#names.events(day)).join(','));
    }
    return [...this.#known.values()];
  }

  /** All shards, or those of one day; a shard that cannot be asked now is as it was last. */
  async read(day: string | null): Promise<ShardInfo[]> {
    const told = await this.#ask(day === null ? this.#names.allEvents : this.#names.events(day));
    if (day === null && [...this.#known.keys()].some((shard) => !told.has(shard))) {
      await this.#forgetGone();
    }
    return [...this.#known.values()].filter((info) => day === null || info.day === day);
  }

  /** The shards that answered. */
  async #ask(path: string): Promise<Set<string>> {
    const { status, body } = await this.#connection.ask(
      {
        method: 'GET',
        path: `/${path}/_stats/flush,refresh`,
        query: { level: 'shards', filter_path: FILTER, ignore_unavailable: true },
      },
      STATISTICS,
    );
    if (status !== 404 && status >= 300) throw unavailable(`No statistics: ${reasonOf(body)}`);
    const told = new Set<string>();
    for (const [index, { uuid, shards = {} }] of Object.entries(body.indices ?? {})) {
      const of = this.#names.dayOf(index);
      if (of === null) continue;
      for (const [number, copies] of Object.entries(shards)) {
        if (this.#learn(of, index, Number(number), uuid, copies)) {
          told.add(shardName(of, Number(number)));
        }
      }
    }
    return told;
  }

  /** Forgets the days whose index is gone: it is neither open nor closed. */
  async #forgetGone(): Promise<void> {
    const there = await this.days();
    for (const { day } of [...this.#known.values()]) if (!there.has(day)) this.forget(day);
  }

  #learn(
    day: string,
    index: string,
    number: number,
    uuid: string,
    copies: readonly Copy[],
  ): boolean {
    const primary = copies.find(
      ({ routing }) =>
        routing.primary && (routing.state === 'STARTED' || routing.state === 'RELOCATING'),
    );
    const historyUuid = primary?.commit?.user_data?.history_uuid;
    if (primary?.seq_no == null || historyUuid === undefined) return false;
    const shard = shardName(day, number);
    const { node } = primary.routing;
    if (node === null) throw damaged(`GET /${index}/_stats`, 'routing.node', 'it is no text');
    const history = historyOf(uuid, historyUuid);
    const settled = primary.seq_no.global_checkpoint + 1;
    const greatest = (primary.seq_no.max_seq_no ?? primary.seq_no.global_checkpoint) + 1;
    const refreshes = primary.refresh?.external_total ?? 0;
    const before = this.#known.get(shard);
    const info: ShardInfo = {
      ...{ shard, day, index, number, history, settled, greatest, refreshes, node },
      seq: before?.history === history ? Math.max(before.seq, settled) : settled,
    };
    if (before === undefined || info.seq !== before.seq) this.#movedAt.set(day, performance.now());
    this.#known.set(shard, info);
    return true;
  }

  /** null: there is no such shard, or it cannot be asked and never could. */
  async one(day: string, number: number): Promise<ShardInfo | null> {
    const all = await this.read(day);
    return all.find((info) => info.number === number) ?? null;
  }

  /** By the name that positions and cursors have; null: as `one`, or no such name. */
  async named(shard: string | null): Promise<ShardInfo | null> {
    const place = shard === null ? null : parseShard(shard);
    return place === null ? null : this.one(place.day, place.shard);
  }

  /** How long no event is known to have come into the day, in milliseconds. */
  quietFor(day: string): number {
    return performance.now() - (this.#movedAt.get(day) ?? Number.NEGATIVE_INFINITY);
  }

  /** Something was appended to the day. */
  touch(day: string): void {
    this.#movedAt.set(day, performance.now());
  }

  /** The last answer, without asking. */
  known(shard: string): ShardInfo | null {
    return this.#known.get(shard) ?? null;
  }

  /** Its index is deleted. */
  forget(day: string): void {
    this.#movedAt.delete(day);
    for (const info of this.#known.values()) {
      if (info.day === day) this.#known.delete(info.shard);
    }
  }

  /** The days that have an index, open or closed. */
  async days(): Promise<Set<string>> {
    const body = await this.#connection.expect(
      {
        method: 'GET',
        path: `/${this.#names.allEvents}/_settings/index.uuid`,
        query: { expand_wildcards: 'open,closed' },
      },
      INDICES,
    );
    const days = Object.keys(body).map((index) => this.#names.dayOf(index));
    return new Set(days.filter((day) => day !== null));
  }
}

export function headOf(info: ShardInfo): ShardHead {
  return { shard: info.shard, history: info.history, seq: info.seq, droppedThrough: 0 };
}

/** 16 bits are enough to notice a change, and short in a cursor. */
function historyOf(indexUuid: string, historyUuid: string): number {
  return createHash('sha256').update(`${indexUuid}/${historyUuid}`).digest().readUInt16BE(0);
}
