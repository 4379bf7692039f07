/**
 * Hosts: the one view that several shards write to, so it is joined with what is stored and
 * written by compare-and-set. A host's fold is a join too, so the order does not matter.
 */
import { LRUCache } from 'lru-cache';
import type { StoredEvent } from '../../../domain/event/event.ts';
import { LIMITS } from '../../../domain/event/limits.ts';
import { deriveHost, foldHost, type HostState } from '../../../domain/fold/fold.ts';
import { greatest, isLater, least, lookUp, withEntry } from '../../../domain/fold/joins.ts';
import { type Bulk, bulkItem } from '../cluster/bulk.ts';
import { type Connection, unavailable } from '../cluster/connection.ts';
import { getAllDocuments } from '../cluster/documents.ts';
import { hostId } from '../indices/ids.ts';
import type { SetAside } from './set-aside.ts';
import { hostStateOf, understood } from './stored-states.ts';

interface Known {
  /** null: there is none, or it cannot be understood and is made anew. */
  state: HostState | null;
  /** Of the stored document; null: there is none. */
  seqNo: number | null;
  term: number | null;
}

interface HostSource {
  shiplog: { state: string };
}

/** Hosts whose stored state is remembered. */
const CACHED = 20_000;
/** How often the write of a host is tried again when another server was faster. */
const ROUNDS = 10;

export class HostWriter {
  readonly #connection: Connection;
  readonly #bulk: Bulk;
  readonly #index: string;
  readonly #aside: SetAside;
  readonly #known = new LRUCache<string, Known>({ max: CACHED });
  /** One at a time: shards of this server would only undo each other's cache. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connection: Connection, bulk: Bulk, index: string, aside: SetAside) {
    this.#connection = connection;
    this.#bulk = bulk;
    this.#index = index;
    this.#aside = aside;
  }

  /** Resolves when the stored hosts hold these events. */
  write(events: readonly StoredEvent[]): Promise<void> {
    const mine = this.#turn.then(() => this.#write(events));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #write(events: readonly StoredEvent[]): Promise<void> {
    const news = new Map<string, HostState>();
    for (const event of events) {
      if (event.host === null || event.step === null) continue;
      const state = foldHost(news.get(event.host) ?? null, event);
      if (state !== null) news.set(event.host, state);
    }
    let open = [...news.keys()];
    for (let round = 0; open.length > 0; round++) {
      if (round === ROUNDS) throw unavailable('Other servers keep changing the same hosts');
      await this.#load(open.filter((name) => !this.#known.has(name)));
      const joined = new Map<string, HostState>();
      for (const name of open) {
        this.#aside.try({ taskId: null, host: name }, () => {
          const stored = this.#known.get(name);
          const mine = news.get(name) as HostState;
          const both = stored?.state == null ? mine : joinHosts(stored.state, mine);
          if (stored?.state == null || JSON.stringify(both) !== JSON.stringify(stored.state)) {
            joined.set(name, both);
          }
        });
      }
      open = await this.#store(joined);
    }
  }

  /** The names that another server changed meanwhile. */
  async #store(hosts: ReadonlyMap<string, HostState>): Promise<string[]> {
    if (hosts.size === 0) return [];
    const names = [...hosts.keys()];
    const outcomes = await this.#bulk.send(
      names.map((name) => {
        const state = hosts.get(name) as HostState;
        const known = this.#known.get(name);
        const meta = { _index: this.#index, _id: hostId(name) };
        return known?.seqNo == null
          ? bulkItem('create', meta, document(state))
          : bulkItem(
              'index',
              { ...meta, if_seq_no: known.seqNo, if_primary_term: known.term },
              document(state),
            );
      }),
    );
    return names.filter((name, i) => {
      const outcome = outcomes[i];
      if (outcome?.state === 'done' && outcome.term !== null) {
        const state = hosts.get(name) as HostState;
        this.#known.set(name, { state, seqNo: outcome.seq - 1, term: outcome.term });
      } else this.#known.delete(name);
      if (outcome?.state === 'refused')
        this.#aside.add({ taskId: null, host: name }, outcome.reason);
      return outcome?.state === 'conflict';
    });
  }

  async #load(names: readonly string[]): Promise<void> {
    const docs = await getAllDocuments<HostSource>(
      this.#connection,
      names.map((name) => ({ index: this.#index, id: hostId(name) })),
      ['shiplog.state'],
    );
    for (const [i, name] of names.entries()) {
      const doc = docs[i];
      if (doc == null) continue;
      const { source, seqNo, term } = doc;
      const what = { taskId: null, host: name };
      const state = understood(this.#aside, what, () => hostStateOf(source.shiplog.state));
      this.#known.set(name, { state, seqNo, term });
    }
  }
}

function document(state: HostState): object {
  const view = deriveHost(state);
  return {
    host: { name: view.name },
    event: { created: view.firstSeenAt, ingested: view.lastSeenAt },
    labels: view.labels,
    shiplog: { state: JSON.stringify(state) },
  };
}

/** What one would be that had seen the events of both. */
function joinHosts(a: HostState, b: HostState): HostState {
  let { labels } = a;
  for (const [key, register] of b.labels) {
    if (isLater(register.t, register.by, lookUp(labels, key))) {
      labels = withEntry(labels, key, register, LIMITS.labels);
    }
  }
  return {
    name: a.name,
    labels,
    firstSeenAt: least(a.firstSeenAt, b.firstSeenAt),
    lastSeenAt: greatest(a.lastSeenAt, b.lastSeenAt),
    agent: b.agent !== null && isLater(b.agent.t, b.agent.by, a.agent) ? b.agent : a.agent,
  };
}
