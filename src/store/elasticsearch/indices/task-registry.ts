/**
 * Which day each task belongs to, and what its events are stamped with.
 *
 * A task's day is fixed by the first server that hears of it: the document is made with `create`,
 * so a race has one winner, and every later event, also after midnight, goes to the same shard,
 * where a retry meets its first copy. The documents outlive the day: they tell an expired task.
 */
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { LogEvent } from '../../../domain/event/event.ts';
import { type Bulk, bulkItem } from '../cluster/bulk.ts';
import type { Connection } from '../cluster/connection.ts';
import { getDocumentsAs, type StoredDocument } from '../cluster/documents.ts';
import type { Days } from './days.ts';
import { registrationId } from './ids.ts';
import { dayAt, type Names, shardName, shardOf } from './names.ts';
import { foldSaid, joined, NOTHING_SAID, type Said, saidIn } from './said.ts';

export interface Registered {
  taskId: string;
  day: string;
  /** null: the day is gone. */
  shard: string | null;
  /** What the log says, as far as this process knows. */
  said: Said;
  /** Its document as it was last read or written. */
  stored: Stored;
  /** Events of the task that this process knows of; null: not counted yet. */
  count: number | null;
  /** What `count` was when the log was asked last; 0: it was new then. */
  counted: number;
  /** Events that are on their way, and what resolves when it is decided what became of them. */
  sending: number;
  readonly underWay: Set<Promise<unknown>>;
  /** The events among them that say something about the task. */
  readonly saying: Set<LogEvent>;
  checkedAt: number;
}

interface Stored {
  said: Said;
  seqNo: number;
  /** Where it was not told, a wrong one: the write is refused and the document read. */
  term: number;
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

  /** The tasks of these events, registered now where they are new; `made`: those made here. */
  async register(
    events: readonly LogEvent[],
  ): Promise<{ tasks: Map<string, Registered>; made: Set<string> }> {
    const ids = [...new Set(events.map((event) => event.taskId))];
    const tasks = await this.find(ids);
    const fresh = ids.filter((id) => !tasks.has(id));
    const made = new Set<string>();
    if (fresh.length > 0) {
      for (const [id, entry] of await this.#create(fresh, events)) {
        tasks.set(id, entry);
        made.add(id);
      }
      // Where another server registered the task first, the day that it chose holds.
      const lost = fresh.filter((id) => !tasks.has(id));
      for (const [id, entry] of await this.find(lost)) tasks.set(id, entry);
    }
    return { tasks, made };
  }

  /**
   * The events in their order, each stamped with what was said of its task until then. What they
   * say themselves is written down first, for the other servers' stamps.
   */
  async stamp(
    heard: readonly Readonly<{ entry: Registered; event: LogEvent }>[],
  ): Promise<LogEvent[]> {
    const stamped = heard.map(({ entry, event }) => {
      entry.said = foldSaid(entry.said, event);
      const { service, environment } = entry.said;
      return {
        ...event,
        service: service?.value ?? null,
        environment: environment?.value ?? null,
      };
    });
    await this.#write(new Set(heard.map(({ entry }) => entry)));
    return stamped;
  }

  /**
   * Something that was said, and written down for the others' stamps, was refused: all is told anew, from
   * the log and what else is on its way. Servers that know of it already do so for a minute at most.
   */
  async restate(
    entry: Registered,
    log: readonly LogEvent[],
    refused: ReadonlySet<string>,
  ): Promise<void> {
    const underWay = [...entry.saying].filter(({ id }) => !refused.has(id));
    const said = [...log, ...underWay].reduce(foldSaid, NOTHING_SAID);
    const restated = Math.max(entry.said.restated, entry.stored.said.restated) + 1;
    entry.said = { ...said, restated };
    await this.#write([entry]);
  }

  /** The entries of those tasks that are known. */
  async find(ids: readonly string[]): Promise<Map<string, Registered>> {
    const found = new Map<string, Registered>();
    const ask: string[] = [];
    for (const id of ids) {
      const entry = this.#cache.get(id);
      if (entry !== undefined && !this.#isOld(entry)) found.set(id, entry);
      else ask.push(id);
    }
    if (ask.length === 0) return found;
    const docs = await this.#read(ask);
    for (const [i, id] of ask.entries()) {
      const doc = docs[i];
      if (doc != null) found.set(id, await this.#remember(id, doc));
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
  async #remember(
    id: string,
    { source, seqNo, term }: StoredDocument<Registration>,
    fresh?: Pick<Registered, 'said' | 'count'>,
  ): Promise<Registered> {
    const { day, task } = source.shiplog;
    const stored = { said: saidIn(task.said), seqNo, term };
    const { said, count } = fresh ?? { said: stored.said, count: null };
    const before = this.#cache.get(id);
    const shard = before?.day === day ? before.shard : null;
    const shards = shard === null ? await this.#days.shardCount(day) : null;
    const read = {
      shard: shard ?? (shards === null ? null : shardName(day, shardOf(id, shards))),
      stored,
      checkedAt: performance.now(),
    };
    const known = this.#cache.get(id);
    if (known?.day === day) {
      return Object.assign(known, read, { said: heardBy(known, joined(known.said, said)) });
    }
    const sent = { counted: 0, sending: 0, underWay: new Set<Promise<unknown>>() };
    const entry: Registered = { taskId: id, day, said, count, ...sent, saying: new Set(), ...read };
    this.#cache.set(id, entry);
    return entry;
  }

  /**
   * Those of the tasks that were made here. What the events say is in their documents from the
   * beginning, but for one that comes again in the same batch.
   */
  async #create(
    ids: readonly string[],
    events: readonly LogEvent[],
  ): Promise<Map<string, Registered>> {
    const day = dayAt(this.#now());
    await this.#days.ensure(day);
    const firsts = new Map<string, LogEvent>();
    for (const event of events) if (!firsts.has(event.id)) firsts.set(event.id, event);
    const ofTask = Map.groupBy(firsts.values(), ({ taskId }) => taskId);
    const documents = ids.map((id) =>
      registration(day, (ofTask.get(id) ?? []).reduce(foldSaid, NOTHING_SAID)),
    );
    const outcomes = await this.#bulk.send(
      ids.map((id, i) => {
        const meta = { _index: this.#names.meta, _id: registrationId(id) };
        return bulkItem('create', meta, documents[i] as Registration);
      }),
    );
    const made = new Map<string, Registered>();
    for (const [i, id] of ids.entries()) {
      const outcome = outcomes[i];
      if (outcome?.state !== 'done') continue;
      const source = documents[i] as Registration;
      const document = { source, seqNo: outcome.seq - 1, term: outcome.term ?? 1 };
      // None of the events is stamped yet: some may stand before the one that says something.
      made.set(id, await this.#remember(id, document, { said: NOTHING_SAID, count: 0 }));
    }
    return made;
  }

  /** Where another server wrote in between, what both know is joined. */
  async #write(entries: Iterable<Registered>): Promise<void> {
    let open = [...entries].filter(isUnwritten);
    while (open.length > 0) {
      const said = open.map((entry) => joined(entry.stored.said, entry.said));
      const outcomes = await this.#bulk.send(
        open.map(({ taskId, day, stored: { seqNo, term } }, i) => {
          const meta = { _index: this.#names.meta, _id: registrationId(taskId) };
          const version = { if_seq_no: seqNo, if_primary_term: term };
          return bulkItem('index', { ...meta, ...version }, registration(day, said[i] as Said));
        }),
      );
      const refused: Registered[] = [];
      for (const [i, entry] of open.entries()) {
        const outcome = outcomes[i];
        if (outcome?.state === 'done') {
          const { seq, term } = outcome;
          entry.stored = { said: said[i] as Said, seqNo: seq - 1, term: term ?? 1 };
        } else if (outcome?.state === 'conflict') refused.push(entry);
      }
      open = (await this.#readAgain(refused)).filter(isUnwritten);
    }
  }

  /** Returns the entries that are still registered. */
  async #readAgain(entries: readonly Registered[]): Promise<Registered[]> {
    const docs = await this.#read(entries.map(({ taskId }) => taskId));
    return entries.filter((entry, i) => {
      const doc = docs[i];
      if (doc == null || doc.source.shiplog.day !== entry.day) return false;
      const said = saidIn(doc.source.shiplog.task.said);
      entry.stored = { said, seqNo: doc.seqNo, term: doc.term };
      entry.said = heardBy(entry, joined(entry.said, said));
      return true;
    });
  }

  #read(ids: readonly string[]): Promise<(StoredDocument<Registration> | null)[]> {
    return getDocumentsAs(
      REGISTRATION,
      this.#connection,
      ids.map((id) => ({ index: this.#names.meta, id: registrationId(id) })),
    );
  }
}

/** What the task says, including events that are on their way. */
function heardBy({ saying }: Registered, said: Said): Said {
  return [...saying].reduce(foldSaid, said);
}

function isUnwritten({ stored, said }: Registered): boolean {
  return joined(stored.said, said) !== stored.said;
}

function registration(day: string, said: Said): Registration {
  return { shiplog: { kind: 'task', day, task: { said: JSON.stringify(said) } } };
}
