/**
 * Which day each task belongs to, and what its events are stamped with.
 *
 * A task's day is fixed by the first server that hears of it: the document is made with `create`,
 * so a race has one winner, and every later event, also after midnight, goes to the same shard,
 * where a retry meets its first copy. The documents outlive the day: they tell an expired task.
 */
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { foldTime, type LogEvent } from '../../../domain/event/event.ts';
import { latest, type Register } from '../../../domain/fold/joins.ts';
import { type Bulk, bulkItem } from '../cluster/bulk.ts';
import type { Connection } from '../cluster/connection.ts';
import { getDocumentsAs } from '../cluster/documents.ts';
import type { Days } from './days.ts';
import { registrationId } from './ids.ts';
import { dayAt, type Names, shardName, shardOf } from './names.ts';

export interface Registered {
  taskId: string;
  day: string;
  /** null: the day is gone. */
  shard: string | null;
  said: Said;
  /** Events of the task that this process knows of; null: not counted yet. */
  count: number | null;
  checkedAt: number;
}

/** What startTask said of a task that its events are stamped with, as its fold has it. */
export interface Said {
  service: Register<string> | null;
  environment: Register<string> | null;
}

const REGISTRATION = z.object({
  shiplog: z.object({
    kind: z.literal('task'),
    day: z.string(),
    /** A `Said` as JSON. */
    task: z.object({ said: z.string() }),
  }),
});
type Registration = z.infer<typeof REGISTRATION>;

const CACHED = 20_000;
/**
 * How long what is known of a task is believed, for another server may have heard a startTask since:
 * the first until something was said of the task.
 */
const RECHECK_UNSAID_MS = 1_000;
const RECHECK_MS = 60_000;

export class Registry {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #days: Days;
  readonly #bulk: Bulk;
  readonly #now: () => number;
  readonly #cache = new LRUCache<string, Registered>({ max: CACHED });

  constructor(connection: Connection, names: Names, days: Days, bulk: Bulk, now: () => number) {
    this.#connection = connection;
    this.#names = names;
    this.#days = days;
    this.#bulk = bulk;
    this.#now = now;
  }

  /**
   * The tasks of these events, registered now where they are new; and the events in their order,
   * each stamped with what was said of its task until then.
   */
  async register(
    events: readonly LogEvent[],
  ): Promise<{ tasks: Map<string, Registered>; stamped: LogEvent[] }> {
    const ids = [...new Set(events.map((event) => event.taskId))];
    const tasks = await this.find(ids);
    const saying = events.filter(({ task }) => task !== null);
    const fresh = ids.filter((id) => !tasks.has(id));
    const said = new Map<string, Said>();
    if (fresh.length > 0) {
      for (const [id, entry] of await this.#create(fresh, saying)) {
        tasks.set(id, entry);
        said.set(id, NOTHING);
      }
      // Where another server registered the task first, the day that it chose holds.
      const lost = fresh.filter((id) => !tasks.has(id));
      for (const [id, entry] of await this.find(lost)) tasks.set(id, entry);
    }
    const stamped = events.map((event) => {
      const until = said.get(event.taskId) ?? tasks.get(event.taskId)?.said ?? NOTHING;
      const now = foldSaid(until, event);
      said.set(event.taskId, now);
      const service = now.service?.value ?? null;
      return { ...event, service, environment: now.environment?.value ?? null };
    });
    await this.#update(tasks, saying);
    return { tasks, stamped };
  }

  /** Those of the tasks that are known. */
  async find(ids: readonly string[]): Promise<Map<string, Registered>> {
    const found = new Map<string, Registered>();
    const ask: string[] = [];
    for (const id of ids) {
      const entry = this.#cache.get(id);
      if (entry !== undefined && !this.#isOld(entry)) found.set(id, entry);
      else ask.push(id);
    }
    if (ask.length === 0) return found;
    const docs = await getDocumentsAs(
      REGISTRATION,
      this.#connection,
      ask.map((id) => ({ index: this.#names.meta, id: registrationId(id) })),
    );
    for (const [i, id] of ask.entries()) {
      const doc = docs[i];
      if (doc != null) found.set(id, await this.#remember(id, doc.source, null));
    }
    return found;
  }

  /** Its day was not there: whatever is known of it has to be asked again. */
  forget(entry: Registered): void {
    this.#days.forget(entry.day);
    this.#cache.delete(entry.taskId);
  }

  #isOld(entry: Registered): boolean {
    // Its day may be there again.
    if (entry.shard === null) return true;
    const unsaid = entry.said.service === null || entry.said.environment === null;
    const age = performance.now() - entry.checkedAt;
    return age > (unsaid ? RECHECK_UNSAID_MS : RECHECK_MS);
  }

  /**
   * What is known of the task goes on: appends under way count its events. Not from an earlier life
   * of its id, which is forgotten with its day.
   */
  async #remember(id: string, source: Registration, count: number | null): Promise<Registered> {
    const { day, task } = source.shiplog;
    const before = this.#cache.get(id);
    const shard = before?.day === day ? before.shard : null;
    const shards = shard === null ? await this.#days.shardCount(day) : null;
    const read = {
      shard: shard ?? (shards === null ? null : shardName(day, shardOf(id, shards))),
      said: JSON.parse(task.said) as Said,
      checkedAt: performance.now(),
    };
    const known = this.#cache.get(id);
    if (known?.day === day) return Object.assign(known, read);
    const entry: Registered = { taskId: id, day, count, ...read };
    this.#cache.set(id, entry);
    return entry;
  }

  /** Those of the tasks that were made here. */
  async #create(
    ids: readonly string[],
    saying: readonly LogEvent[],
  ): Promise<Map<string, Registered>> {
    const day = dayAt(this.#now());
    await this.#days.ensure(day);
    const ofTask = Map.groupBy(saying, ({ taskId }) => taskId);
    const documents = ids.map((id) =>
      registration(day, (ofTask.get(id) ?? []).reduce(foldSaid, NOTHING)),
    );
    const outcomes = await this.#bulk.send(
      ids.map((id, i) => {
        const meta = { _index: this.#names.meta, _id: registrationId(id) };
        return bulkItem('create', meta, documents[i] as Registration);
      }),
    );
    const made = new Map<string, Registered>();
    for (const [i, id] of ids.entries()) {
      if (outcomes[i]?.state === 'done') {
        made.set(id, await this.#remember(id, documents[i] as Registration, 0));
      }
    }
    return made;
  }

  /** A startTask that says something newer is written down, for the other servers' stamps. */
  async #update(
    tasks: ReadonlyMap<string, Registered>,
    saying: readonly LogEvent[],
  ): Promise<void> {
    const changed = new Set<Registered>();
    for (const event of saying) {
      const entry = tasks.get(event.taskId);
      if (entry === undefined) continue;
      const said = foldSaid(entry.said, event);
      if (said === entry.said) continue;
      entry.said = said;
      changed.add(entry);
    }
    if (changed.size === 0) return;
    await this.#bulk.send(
      [...changed].map(({ taskId, day, said }) => {
        const meta = { _index: this.#names.meta, _id: registrationId(taskId) };
        return bulkItem('index', meta, registration(day, said));
      }),
    );
  }
}

const NOTHING: Said = { service: null, environment: null };

/** As `foldTask` folds them. */
function foldSaid(said: Said, event: LogEvent): Said {
  if (event.task === null) return said;
  const t = foldTime(event);
  const service = latest(said.service, event.task.service, t, event.eventId);
  const environment = latest(said.environment, event.task.environment, t, event.eventId);
  const isSame = service === said.service && environment === said.environment;
  return isSame ? said : { service, environment };
}

function registration(day: string, said: Said): Registration {
  return { shiplog: { kind: 'task', day, task: { said: JSON.stringify(said) } } };
}
