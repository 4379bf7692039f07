/** The indices of each day: made when a task first begins on it, remembered when they are gone. */
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { ResolvedConfig } from '../cluster/config.ts';
import type { Connection } from '../cluster/connection.ts';
import { reasonOf, unavailable } from '../cluster/connection.ts';
import { getDocumentsAs } from '../cluster/documents.ts';
import { dayId } from './ids.ts';
import { indexBody } from './mappings.ts';
import type { Names } from './names.ts';
import { createIndex } from './setup.ts';

/** The last seq of each shard of a day that is gone, by shard number. */
export type FinalSeqs = Record<string, number>;

const DAY_DOCUMENT = z.object({
  shiplog: z.object({
    kind: z.literal('day'),
    day: z.string(),
    final: z.record(z.string(), z.int().nonnegative()),
    /** Epoch milliseconds: its tasks' ids are not free before. */
    until: z.number().optional(),
  }),
});
type DayDocument = z.infer<typeof DAY_DOCUMENT>;

const FOUND = z.object({ _source: DAY_DOCUMENT });
const SETTINGS = z.record(
  z.string(),
  z.object({
    settings: z.object({ index: z.object({ number_of_shards: z.string().regex(/^[1-9]\d*$/) }) }),
  }),
);

/** Days of which the number of shards is remembered. */
const SHARDS_KNOWN_MAX = 4_000;

export class Days {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #config: ResolvedConfig;
  readonly #shards = new LRUCache<string, Promise<number>>({ max: SHARDS_KNOWN_MAX });
  readonly #dropped = new Map<string, FinalSeqs>();

  constructor(connection: Connection, names: Names, config: ResolvedConfig) {
    this.#connection = connection;
    this.#names = names;
    this.#config = config;
  }

  /** Makes the day's indices if they are not there. false: retention removed this day. */
  async ensure(day: string): Promise<boolean> {
    if (this.#shards.has(day)) return true;
    if ((await this.final(day)) !== null) return false;
    const body = indexBody('events', this.#config);
    await createIndex(this.#connection, this.#names.events(day), body);
    await this.makeViews(day);
    return true;
  }

  /** Whether the day has its index of views; 'gone': not even one of events. */
  async viewsOf(day: string): Promise<'there' | 'missing' | 'gone'> {
    const [events, views] = [this.#names.events(day), this.#names.views(day)];
    if (await this.#exists(`${events},${views}`)) return 'there';
    return (await this.#exists(events)) ? 'missing' : 'gone';
  }

  async makeViews(day: string): Promise<void> {
    // As many as its events have, whichever server made those with whatever setting: a task is in the
    // same of both.
    const shards = (await this.shardCount(day)) ?? this.#config.shards;
    const body = indexBody('views', { ...this.#config, shards });
    await createIndex(this.#connection, this.#names.views(day), body);
  }

  async #exists(path: string): Promise<boolean> {
    const { status } = await this.#connection.ask({ method: 'HEAD', path: `/${path}` });
    return status < 300;
  }

  /** How many shards the day's indices have; null: there are none. */
  async shardCount(day: string): Promise<number | null> {
    let known = this.#shards.get(day);
    if (known === undefined) {
      known = this.#readShardCount(day);
      this.#shards.set(day, known);
    }
    try {
      const count = await known;
      if (count > 0) return count;
    } catch (error) {
      this.#shards.delete(day);
      throw error;
    }
    this.#shards.delete(day);
    return null;
  }

  async #readShardCount(day: string): Promise<number> {
    const index = this.#names.events(day);
    const { status, body } = await this.#connection.ask(
      { method: 'GET', path: `/${index}/_settings/index.number_of_shards` },
      SETTINGS,
    );
    if (status === 404) return 0;
    if (status >= 300) throw unavailable(`The settings of ${index}: ${reasonOf(body)}`);
    return Number(body[index]?.settings.index.number_of_shards ?? 0);
  }

  /** The day's indices were not there: what was remembered of them does not hold. */
  forget(day: string): void {
    this.#shards.delete(day);
  }

  /** What is known of a day that retention removed; null: it did not. */
  async final(day: string): Promise<FinalSeqs | null> {
    const known = this.#dropped.get(day);
    if (known !== undefined) return known;
    const { status, body } = await this.#connection.ask(
      { method: 'GET', path: `/${this.#names.meta}/_doc/${dayId(day)}` },
      FOUND,
    );
    if (status === 404) return null;
    if (status >= 300) throw unavailable(`The end of ${day}: ${reasonOf(body)}`);
    this.#dropped.set(day, body._source.shiplog.final);
    return body._source.shiplog.final;
  }

  /**
   * Writes down where a day's shards ended, before its indices are deleted. Said again (by another
   * server, or after a stop) the greater ones hold.
   */
  async recordFinal(day: string, final: FinalSeqs, until: number): Promise<void> {
    const path = `/${this.#names.meta}/_doc/${dayId(day)}`;
    for (;;) {
      const [was = null] = await getDocumentsAs(DAY_DOCUMENT, this.#connection, [
        { index: this.#names.meta, id: dayId(day) },
      ]);
      const known = was?.source.shiplog;
      const most: FinalSeqs = { ...known?.final };
      for (const [shard, seq] of Object.entries(final)) {
        most[shard] = Math.max(seq, most[shard] ?? 0);
      }
      const document: DayDocument = {
        shiplog: { kind: 'day', day, final: most, until: Math.max(until, known?.until ?? 0) },
      };
      const { status, body } = await this.#connection.ask({
        method: 'PUT',
        path,
        query:
          was === null
            ? { op_type: 'create' }
            : { if_seq_no: was.seqNo, if_primary_term: was.term },
        body: document,
      });
      if (status === 409) continue;
      if (status >= 300) {
        throw unavailable(`The end of ${day} could not be recorded: ${reasonOf(body)}`);
      }
      this.forgetFinal(day);
      this.forget(day);
      return;
    }
  }

  /** What was remembered of a day that is gone does not hold. */
  forgetFinal(day: string): void {
    this.#dropped.delete(day);
  }
}
