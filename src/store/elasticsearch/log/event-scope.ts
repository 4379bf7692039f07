/**
 * Where a query over events looks, and what it can see there: everything settled up to a head, and
 * nothing beyond it, so that a tail from that head has no seam. Shards in which something happens
 * are searched one by one on their primary, with the head as a bound; all the others together, and
 * once more where that shows one in which something has just happened.
 */
import { setTimeout } from 'node:timers/promises';
import type { z } from 'zod';
import type { Position } from '../../../domain/event/event.ts';
import type { ShardCursor } from '../../store.ts';
import { unavailable } from '../cluster/connection.ts';
import type { Aggregated, Search, Searcher } from '../cluster/searcher.ts';
import type { Days } from '../indices/days.ts';
import { type Names, parseShard } from '../indices/names.ts';
import type { ShardInfo, Shards } from '../indices/shards.ts';
import type { Registry } from '../indices/task-registry.ts';
import { all, type Query } from '../query/dsl.ts';
import type { Acknowledged } from './acknowledged.ts';
import type { Heads } from './heads.ts';
import { type LogReader, primaryOnly } from './log-reader.ts';

export interface Target {
  index: string;
  preference?: string;
  /** Events with a seq above it are not to be seen yet; null: nothing has happened there. */
  through: number | null;
}

export interface Scope {
  targets: Target[];
  at: ShardCursor[];
  /** The shards of `at` that are searched without a bound. */
  quiet: ShardCursor[];
}

const NOWHERE: Scope = { targets: [], at: [], quiet: [] };
/** A shard that did not move for so long shows everything by itself. */
const QUIET_MS = 60_000;
/** Longer than this nobody waits for events that others are still sending to the same shard. */
const SETTLE_MAX_MS = 2_000;
const SETTLE_LOOK_MS = 10;
/** Each time at least one more day is followed; only one whose shards tell nothing needs so many. */
const FOLLOW_TRIES = 5;

export interface ScopeParts {
  names: Names;
  days: Days;
  shards: Shards;
  reader: LogReader;
  registry: Registry;
  heads: Heads;
  acknowledged: Acknowledged;
}

export class Scopes {
  readonly #parts: ScopeParts;

  constructor(parts: ScopeParts) {
    this.#parts = parts;
  }

  async of(taskId: string | undefined): Promise<Scope> {
    return taskId === undefined ? this.#everywhere() : this.#task(taskId);
  }

  /** In the order of the tasks, one for all that ask for the same. */
  async ofEach(taskIds: readonly (string | undefined)[]): Promise<Scope[]> {
    const asked = new Map<string | undefined, Promise<Scope>>();
    return Promise.all(
      taskIds.map((taskId) => {
        const scope = asked.get(taskId) ?? this.of(taskId);
        asked.set(taskId, scope);
        return scope;
      }),
    );
  }

  /** Where something came into shards that were searched without a bound, as far as can be asked now. */
  async cameInto(quiet: readonly ShardCursor[]): Promise<Position[]> {
    if (quiet.length === 0) return [];
    const infos = new Map((await this.#parts.shards.read(null)).map((info) => [info.shard, info]));
    return quiet.flatMap(({ shard, seq }) => {
      const { greatest = 0 } = infos.get(shard) ?? {};
      return greatest > seq ? { shard, seq: greatest } : [];
    });
  }

  /**
   * Something came into days that were held to be quiet: from now on they are searched as those are
   * in which something happens.
   */
  follow(positions: readonly Position[], tries: number): void {
    for (const { shard } of positions) {
      const day = parseShard(shard)?.day;
      if (tries > FOLLOW_TRIES || day === undefined) throw hidden({ shard });
      this.#parts.shards.touch(day);
    }
  }

  async #task(taskId: string): Promise<Scope> {
    const { registry, days, shards, names } = this.#parts;
    const entry = (await registry.find([taskId])).get(taskId);
    if (entry === undefined) {
      const heads = await this.#parts.heads.ofUnknown(taskId);
      return { targets: [], at: heads.map(cursorOf), quiet: [] };
    }
    const place = entry.shard === null ? null : parseShard(entry.shard);
    const seq = entry.shard === null ? 0 : this.#parts.acknowledged.of(taskId, entry.shard);
    const info = place === null ? null : await this.#settled(place.day, place.shard, seq);
    if (info === null) return NOWHERE;
    if (!(await this.#canShow(info))) {
      // Another server may have removed the day just now.
      if ((await days.final(info.day)) === null) throw hidden(info);
      shards.forget(info.day);
      return NOWHERE;
    }
    const target: Target = {
      index: names.events(info.day),
      preference: primaryOnly(info),
      through: info.settled,
    };
    return { targets: [target], at: [cursorOf({ ...info, seq: info.settled })], quiet: [] };
  }

  /** An acknowledged event is settled as soon as those that were sent before it are decided. */
  async #settled(day: string, number: number, seq: number): Promise<ShardInfo | null> {
    const deadline = performance.now() + SETTLE_MAX_MS;
    for (;;) {
      const info = await this.#parts.shards.one(day, number);
      if (info === null || info.settled >= seq || performance.now() > deadline) return info;
      await setTimeout(SETTLE_LOOK_MS);
    }
  }

  async #everywhere(): Promise<Scope> {
    const { shards, names } = this.#parts;
    const infos = await shards.current();
    const busy = infos.filter((info) => shards.quietFor(info.day) < QUIET_MS);
    await Promise.all(busy.map((info) => this.#show(info)));
    const busyDays = [...new Set(busy.map(({ day }) => day))];
    const targets = busy.map((info): Target => {
      const { index, settled } = info;
      return { index, preference: primaryOnly(info), through: settled };
    });
    if (busy.length < infos.length) {
      const index = [names.allEvents, ...busyDays.map((day) => `-${names.events(day)}`)].join(',');
      targets.push({ index, through: null });
    }
    const seen = new Set(busy);
    const at = infos.map((info) =>
      cursorOf(seen.has(info) ? { ...info, seq: info.settled } : info),
    );
    const quiet = infos.filter((info) => !seen.has(info)).map(cursorOf);
    return { targets, at, quiet };
  }

  async #show(info: ShardInfo): Promise<void> {
    if (!(await this.#canShow(info))) throw hidden(info);
  }

  #canShow(info: ShardInfo): Promise<boolean> {
    return this.#parts.reader.show(info, info.settled);
  }
}

function hidden({ shard }: Pick<ShardInfo, 'shard'>): Error {
  return unavailable(`The newest events of ${shard} cannot be seen now`);
}

function cursorOf({ shard, history, seq }: ShardCursor): ShardCursor {
  return { shard, history, seq };
}

/** The search on this target, held to what may be seen. */
export function searchOn(target: Target, query: Query, body: Record<string, unknown>): Search {
  const { index, preference, through } = target;
  const bound = through === null ? [] : [{ range: { _seq_no: { lt: through } } }];
  return {
    index,
    ...(preference === undefined ? {} : { preference }),
    body: { ...body, query: all([query, ...bound]) },
  };
}

/** A search per scope that has a shard, in their order; null for those that have none. */
export async function aggregateEach<A>(
  searcher: Searcher,
  schema: z.ZodType<A>,
  scopes: readonly Scope[],
  ask: (i: number) => { query: Query; body: Record<string, unknown> },
): Promise<(Aggregated<A> | null)[]> {
  const asked = scopes.flatMap(({ targets: [target] }, i) =>
    target === undefined ? [] : [{ i, target }],
  );
  const answers = await searcher.aggregate(
    asked.map(({ i, target }) => {
      const { query, body } = ask(i);
      return searchOn(target, query, body);
    }),
    schema,
  );
  const found: (Aggregated<A> | null)[] = scopes.map(() => null);
  for (const [at, { i }] of asked.entries()) found[i] = answers[at] ?? null;
  return found;
}
