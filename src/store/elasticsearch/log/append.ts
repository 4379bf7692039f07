/**
 * Appending: every event is a `create` of its id in its task's shard. 201 is stored, on every
 * in-sync copy and fsynced; 409 is a retry of the same, or another event of the same id.
 */

import { z } from 'zod';
import { ShiplogError } from '../../../domain/errors.ts';
import type { LogEvent, StoredEvent } from '../../../domain/event/event.ts';
import { capFor, taskExpired, taskFull } from '../../../domain/event/rejections.ts';
import type { AppendOutcome } from '../../store.ts';
import { type Bulk, bulkItem } from '../cluster/bulk.ts';
import { type Connection, unavailable } from '../cluster/connection.ts';
import type { Refresher } from '../cluster/refresher.ts';
import type { Days } from '../indices/days.ts';
import { type Names, shardPreference } from '../indices/names.ts';
import { saysSomething } from '../indices/said.ts';
import type { Registered, Registry } from '../indices/task-registry.ts';
import { eventDocument } from './event-document.ts';
import { type Copy, firstCopies, outcomeOf } from './first-copies.ts';
import { type Outcome, rejected, unsettled } from './outcomes.ts';
import { saidInLog } from './said-in-log.ts';
import { type Stamped, stamp } from './stamping.ts';

/**
 * A shard that just did not take something is not asked again for so long: what the others
 * can take does not queue behind it.
 */
const DOWN_MS = 1_000;
/** Once a server has stored such a part of the room that a task had left, others are looked after. */
const COUNT_AGAIN_AFTER = 1 / 8;

interface Item {
  at: number;
  event: LogEvent;
  entry: Registered;
  /** Its task was registered for it. */
  isFirst: boolean;
  /** Its day was made again for it. */
  tried: boolean;
}

export interface AppendParts {
  connection: Connection;
  names: Names;
  days: Days;
  registry: Registry;
  bulk: Bulk;
  refresher: Pick<Refresher, 'refresh'>;
  maxEventsPerTask: number;
  /** Resolves when the views of these shards are near enough for more. */
  pace: (shards: Iterable<string>) => Promise<void>;
}

export class Appender {
  readonly #parts: AppendParts;
  /** Shards that cannot take anything now: until when, and what they said. */
  readonly #down = new Map<string, { until: number; error: ShiplogError }>();

  constructor(parts: AppendParts) {
    this.#parts = parts;
  }

  /** The outcomes, and the stored events in the order of their seqs within each shard. */
  async append(
    events: readonly LogEvent[],
  ): Promise<{ outcomes: Outcome[]; stored: StoredEvent[] }> {
    const outcomes: (Outcome | null)[] = events.map(() => null);
    const stored: StoredEvent[] = [];
    const { tasks, made } = await this.#parts.registry.register(events);
    await this.#count([...tasks.values()]);
    await this.#parts.pace(shardsOf(tasks.values()));
    let open: Item[] = [];
    for (const [at, event] of events.entries()) {
      const entry = tasks.get(event.taskId);
      if (entry === undefined) throw unavailable('A task could not be registered');
      const down = this.#downFor(entry);
      const isFirst = made.has(event.taskId);
      if (down === null) open.push({ at, event, entry, isFirst, tried: false });
      else outcomes[at] = unsettled(down);
    }
    let dayless: Item[] = [];
    while (open.length > 0) {
      const { send, full } = this.#withinCap(open);
      open = [];
      if (send.length > 0) {
        const sent = await underWay(send, async () => {
          const { ready, later, decided } = await this.#stamp(send);
          for (const { at, outcome } of decided) outcomes[at] = outcome;
          return { later, dayless: await this.#create(ready, outcomes, stored) };
        });
        dayless.push(...sent.dayless);
        // What was held back for the cap has its turn: some of those sent may have been retries.
        open = [...sent.later, ...full];
      } else if (await othersDecided(full)) open = full;
      else await this.#refuseFull(full, outcomes);
      if (open.length === 0 && dayless.length > 0) {
        open = await this.#beginAgain(dayless);
        for (const { at, event } of dayless) {
          if (!open.some((item) => item.at === at)) outcomes[at] = rejected(taskExpired(event));
        }
        dayless = [];
      }
    }
    const decided = outcomes as Outcome[];
    const [first] = decided;
    if (first?.outcome === 'UNSETTLED' && decided.every(({ outcome }) => outcome === 'UNSETTLED')) {
      throw first.error;
    }
    return { outcomes: decided, stored };
  }

  #withinCap(items: readonly Item[]): { send: Item[]; full: Item[] } {
    const counts = new Map<Registered, number>();
    const send: Item[] = [];
    const full: Item[] = [];
    for (const item of items) {
      const { count: known, sending } = item.entry;
      const count = counts.get(item.entry) ?? (known ?? 0) + sending;
      counts.set(item.entry, count + 1);
      (count < capFor(item.event, this.#parts.maxEventsPerTask) ? send : full).push(item);
    }
    return { send, full };
  }

  async #stamp(items: readonly Item[]): Promise<Stamped<Item>> {
    // Items that were sent before have their stamps.
    const isSentAgain = items.some(({ tried }) => tried);
    if (isSentAgain) return { ready: [...items], later: [], decided: [] };
    return stamp(this.#parts, items);
  }

  /** Settles the items; those whose day is not there are returned. */
  async #create(
    items: readonly Item[],
    outcomes: (Outcome | null)[],
    stored: StoredEvent[],
  ): Promise<Item[]> {
    const { bulk, names } = this.#parts;
    if (items.length === 0) return [];
    const answers = await bulk.settleEach(
      items.map(({ event, entry }) =>
        bulkItem(
          'create',
          { _index: names.events(entry.day), _id: event.id, routing: event.taskId },
          eventDocument(event),
        ),
      ),
    );
    const conflicts: { item: Item; again: boolean }[] = [];
    const dayless: Item[] = [];
    for (const [i, item] of items.entries()) {
      const answer = answers[i] as (typeof answers)[number];
      if (answer.state === 'done') outcomes[item.at] = this.#store(item, answer.seq, stored);
      else if (answer.state === 'conflict') conflicts.push({ item, again: answer.again });
      else if (answer.state === 'missing') dayless.push(item);
      else if (answer.state === 'unsettled') {
        this.#setDown(item.entry, answer.problem);
        outcomes[item.at] = unsettled(answer.problem);
      } else outcomes[item.at] = rejected({ ...INVALID, message: answer.reason });
    }
    const copies = await firstCopies(
      this.#parts,
      conflicts.map(({ item }) => item),
    );
    for (const [i, { item, again }] of conflicts.entries()) {
      outcomes[item.at] = this.#retried(item, again, copies[i], stored);
    }
    await this.#takeBack(
      conflicts.map(({ item }) => item),
      outcomes,
    );
    stored.sort((a, b) => a.position.seq - b.position.seq);
    return dayless;
  }

  /**
   * Others of the same id came first, at the same time: what these said of their tasks was written down
   * before, and holds no more. Where that cannot be done now, a retry does it.
   */
  async #takeBack(items: readonly Item[], outcomes: (Outcome | null)[]): Promise<void> {
    const refused = items.filter(
      ({ at, event }) => saysSomething(event) && outcomes[at]?.outcome === 'REJECTED',
    );
    for (const [entry, ofTask] of Map.groupBy(refused, (item) => item.entry)) {
      const ids = new Set(ofTask.map(({ event }) => event.id));
      try {
        const said = await saidInLog(this.#parts, entry);
        await this.#parts.registry.restate(entry, said, ids);
      } catch (error) {
        if (!(error instanceof ShiplogError) || error.code !== 'STORE_UNAVAILABLE') throw error;
        for (const { at } of ofTask) outcomes[at] = unsettled(error);
      }
    }
  }

  #setDown({ shard }: Registered, error: ShiplogError): void {
    if (shard !== null) this.#down.set(shard, { until: performance.now() + DOWN_MS, error });
  }

  #downFor({ shard }: Registered): ShiplogError | null {
    const down = shard === null ? undefined : this.#down.get(shard);
    if (down === undefined) return null;
    if (down.until > performance.now()) return down.error;
    this.#down.delete(shard as string);
    return null;
  }

  #store(item: Item, seq: number, stored: StoredEvent[]): AppendOutcome {
    const { event, entry } = item;
    if (entry.count !== null) entry.count++;
    const position = { shard: entry.shard as string, seq };
    stored.push({ ...event, position });
    const { service, environment } = event;
    return { outcome: 'STORED', position, service, environment };
  }

  /** A 409: the same event again, another one of the same id, or our own first try. */
  #retried(
    item: Item,
    again: boolean,
    copy: Copy | null | undefined,
    stored: StoredEvent[],
  ): Outcome {
    const { event, entry } = item;
    const isOwn = again && copy?.source.event.ingested === event.receivedAt;
    if (copy != null && isOwn && copy.source.shiplog.digest === event.digest) {
      return this.#store(item, copy.seqNo + 1, stored);
    }
    return outcomeOf(event, entry, copy);
  }

  /**
   * The day is gone, by retention or by hand: its tasks are expired. Not those that have nothing
   * in it yet: they begin on it only now, so where retention has not removed it, it is made again.
   */
  async #beginAgain(items: readonly Item[]): Promise<Item[]> {
    const { registry, days } = this.#parts;
    const fresh = items.filter(({ entry, tried }) => entry.count === 0 && !tried);
    for (const { entry } of items) registry.forget(entry);
    for (const day of new Set(fresh.map(({ entry }) => entry.day))) await days.ensure(day);
    const tasks = await registry.find([...new Set(fresh.map(({ event }) => event.taskId))]);
    return fresh.flatMap((item) => {
      const entry = tasks.get(item.event.taskId);
      return entry?.shard == null ? [] : [{ ...item, entry, tried: true }];
    });
  }

  /** The cap: retries of what is there are still told apart from what is not. */
  async #refuseFull(items: readonly Item[], outcomes: (Outcome | null)[]): Promise<void> {
    const copies = await firstCopies(this.#parts, items);
    for (const [i, item] of items.entries()) {
      const copy = copies[i];
      outcomes[item.at] =
        copy !== null
          ? this.#retried(item, false, copy, [])
          : rejected(taskFull(item.event, this.#parts.maxEventsPerTask));
    }
  }

  /**
   * How many events the tasks have that this process has not counted yet, or that other servers may
   * have brought near the cap since.
   */
  async #count(entries: readonly Registered[]): Promise<void> {
    const open = entries.filter((entry) => entry.shard !== null && this.#isToBeCounted(entry));
    if (open.length === 0) return;
    const { connection, names, refresher } = this.#parts;
    const again = open.filter(({ count }) => count !== null);
    const days = new Set(again.map(({ day }) => names.events(day)));
    await Promise.all([...days].map((index) => refresher.refresh(index)));
    const lines = open.map(
      ({ day, shard, taskId }) =>
        `${JSON.stringify(onShard(names.events(day), shard as string))}\n${JSON.stringify({
          size: 0,
          track_total_hits: true,
          query: { term: { 'shiplog.task.id': taskId } },
        })}\n`,
    );
    const { responses } = await connection.expect(
      { method: 'POST', path: '/_msearch', body: lines.join(''), safe: true },
      COUNTS,
    );
    for (const [i, entry] of open.entries()) {
      const counted = responses[i]?.hits?.total.value;
      if (counted === undefined) continue;
      entry.count = Math.max(counted, entry.count ?? 0);
      entry.counted = entry.count;
    }
  }

  #isToBeCounted({ count, counted }: Registered): boolean {
    if (count === null) return true;
    const room = this.#parts.maxEventsPerTask - counted;
    return room > 0 && count - counted > room * COUNT_AGAIN_AFTER;
  }
}

/** Counts items as events of their tasks until it is decided what became of them. */
async function underWay<T>(items: readonly Item[], send: () => Promise<T>): Promise<T> {
  const saying = items.filter(({ event }) => saysSomething(event));
  for (const { entry, event } of saying) entry.saying.add(event);
  const sent = send();
  const decided = sent.catch(() => undefined);
  for (const { entry } of items) {
    entry.sending++;
    entry.underWay.add(decided);
  }
  try {
    return await sent;
  } finally {
    for (const { entry } of items) {
      entry.sending--;
      entry.underWay.delete(decided);
    }
    for (const { entry, event } of saying) entry.saying.delete(event);
  }
}

/** Waits for what others sent of the same tasks: it may be retries. false: there is nothing. */
async function othersDecided(items: readonly Item[]): Promise<boolean> {
  const others = new Set(items.flatMap(({ entry }) => [...entry.underWay]));
  await Promise.all(others);
  return others.size > 0;
}

/** One that could not be counted has no hits. */
const COUNTS = z.object({
  responses: z.array(
    z.object({ hits: z.object({ total: z.object({ value: z.int() }) }).optional() }),
  ),
});

/** What has no answer from its shard would be counted as nothing. */
function onShard(index: string, shard: string): object {
  return { index, preference: shardPreference(shard), allow_partial_search_results: false };
}

function shardsOf(entries: Iterable<Registered>): Set<string> {
  const shards = new Set<string>();
  for (const { shard } of entries) if (shard !== null) shards.add(shard);
  return shards;
}

const INVALID = { code: 'INVALID_VALUE', field: null } as const;
