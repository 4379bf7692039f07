/**
 * Which day each task belongs to, and what its events are stamped with.
 *
 * A task's day is fixed by the first server that hears of it: the document is made with `create`,
 * so a race has one winner, and every later event, also after midnight, goes to the same shard,
 * where a retry meets its first copy. The documents outlive the day: they tell an expired task.
 */
import { foldTime, type LogEvent } from '../../domain/event.ts';
import { type Bulk, bulkItem } from './bulk.ts';
import type { Connection } from './connection.ts';
import type { Days } from './days.ts';
import { getDocuments } from './documents.ts';
import { registrationId } from './ids.ts';
import { Lru } from './lru.ts';
import { dayAt, type Names, shardName, shardOf } from './names.ts';

export interface Registered {
  taskId: string;
  day: string;
  /** null: the day is gone. */
  shard: string | null;
  service: string | null;
  environment: string | null;
  /** When the newest startTask that these are from was said. */
  saidAt: number;
  /** Events of the task that this process knows of; null: not counted yet. */
  count: number | null;
  checkedAt: number;
}

interface Registration {
  shiplog: {
    kind: 'task';
    day: string;
    task: { service: string | null; environment: string | null; said_at: number };
  };
}

const CACHED = 20_000;
/** Another server may have heard a startTask: how long what is known is believed. */
const RECHECK_UNSAID_MS = 1_000;
const RECHECK_MS = 60_000;

export class Registry {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #days: Days;
  readonly #bulk: Bulk;
  readonly #now: () => number;
  readonly #cache = new Lru<string, Registered>(CACHED);

  constructor(connection: Connection, names: Names, days: Days, bulk: Bulk, now: () => number) {
    this.#connection = connection;
    this.#names = names;
    this.#days = days;
    this.#bulk = bulk;
    this.#now = now;
  }

  /** The tasks of these events, registered now where they are new. */
  async register(events: readonly LogEvent[]): Promise<Map<string, Registered>> {
    const ids = [...new Set(events.map((event) => event.taskId))];
    const found = await this.find(ids);
    const said = saidOf(events);
    const fresh = ids.filter((id) => !found.has(id));
    if (fresh.length > 0) {
      for (const [id, entry] of await this.#create(fresh, said)) found.set(id, entry);
    }
    await this.#update(found, said);
    return found;
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
    const docs = await getDocuments<Registration>(
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
    const unsaid = entry.service === null || entry.environment === null;
    const age = performance.now() - entry.checkedAt;
    return age > (unsaid ? RECHECK_UNSAID_MS : RECHECK_MS);
  }

  async #remember(id: string, source: Registration, count: number | null): Promise<Registered> {
    const { day, task } = source.shiplog;
    const known = this.#cache.get(id);
    const shards = known?.shard == null ? await this.#days.shardCount(day) : null;
    const entry: Registered = {
      taskId: id,
      day,
      shard: known?.shard ?? (shards === null ? null : shardName(day, shardOf(id, shards))),
      service: task.service,
      environment: task.environment,
      saidAt: task.said_at,
      count: known?.count ?? count,
      checkedAt: performance.now(),
    };
    this.#cache.set(id, entry);
    return entry;
  }

  async #create(
    ids: readonly string[],
    said: ReadonlyMap<string, Said>,
  ): Promise<Map<string, Registered>> {
    const day = dayAt(this.#now());
    await this.#days.ensure(day);
    const documents = ids.map((id): Registration => {
      const { service = null, environment = null, saidAt = NEVER } = said.get(id) ?? {};
      return { shiplog: { kind: 'task', day, task: { service, environment, said_at: saidAt } } };
    });
    const outcomes = await this.#bulk.send(
      ids.map((id, i) => {
        const meta = { _index: this.#names.meta, _id: registrationId(id) };
        return bulkItem('create', meta, documents[i] as Registration);
      }),
    );
    const made = new Map<string, Registered>();
    const lost: string[] = [];
    for (const [i, id] of ids.entries()) {
      if (outcomes[i]?.state === 'done') {
        made.set(id, await this.#remember(id, documents[i] as Registration, 0));
      } else lost.push(id);
    }
    // Another server was first: its day holds.
    if (lost.length > 0) for (const [id, entry] of await this.find(lost)) made.set(id, entry);
    return made;
  }

  /** A startTask that says something newer is written down, for the other servers' stamps. */
  async #update(
    found: ReadonlyMap<string, Registered>,
    said: ReadonlyMap<string, Said>,
  ): Promise<void> {
    const changed: Registered[] = [];
    for (const [id, { service, environment, saidAt }] of said) {
      const entry = found.get(id);
      if (entry === undefined || saidAt < entry.saidAt) continue;
      const next = {
        service: service ?? entry.service,
        environment: environment ?? entry.environment,
      };
      if (next.service === entry.service && next.environment === entry.environment) continue;
      Object.assign(entry, next, { saidAt });
      changed.push(entry);
    }
    if (changed.length === 0) return;
    await this.#bulk.send(
      changed.map(({ taskId, day, service, environment, saidAt }) => {
        const meta = { _index: this.#names.meta, _id: registrationId(taskId) };
        const task = { service, environment, said_at: saidAt };
        return bulkItem('index', meta, { shiplog: { kind: 'task', day, task } });
      }),
    );
  }
}

interface Said {
  service: string | null;
  environment: string | null;
  saidAt: number;
}

const NEVER = -8.64e15;

/** What the TASK events among them say of each task, the latest of each. */
function saidOf(events: readonly LogEvent[]): Map<string, Said> {
  const said = new Map<string, Said>();
  for (const event of events) {
    if (event.task === null) continue;
    const { service, environment } = event.task;
    if (service === null && environment === null) continue;
    const before = said.get(event.taskId);
    const saidAt = foldTime(event);
    if (before !== undefined && saidAt < before.saidAt) continue;
    said.set(event.taskId, {
      service: service ?? before?.service ?? null,
      environment: environment ?? before?.environment ?? null,
      saidAt,
    });
  }
  return said;
}
