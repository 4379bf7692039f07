/**
 * Who keeps the views of a shard, and up to where they are: one small document per shard, changed
 * by compare-and-set only.
 *
 * Clocks are not compared. A keeper changes its document every so often; who wants to take over
 * watches it, and may do so when it has not changed for the whole lease, by its own clock.
 */
import { FOLD_VERSION } from '../../domain/fold.ts';
import { type Connection, reasonOf, unavailable } from './connection.ts';
import { shardId } from './ids.ts';

export interface LeaseState {
  owner: string | null;
  /** Counted up so that an idle keeper's document changes too. */
  beat: number;
  /** Views hold everything at or below this seq. */
  folded: number;
  /** Of the shard; another one means that the log was restored. */
  history: number;
  generation: number;
}

/** A state as it is stored: what a change must be based on. */
export interface Lease extends LeaseState {
  shard: string;
  seqNo: number;
  term: number;
}

/** Views that another version folded count as those of another log: they are folded anew. */
const OTHER_FOLD = { folded: 0, history: -1 };

interface Doc {
  found?: boolean;
  _seq_no?: number;
  _primary_term?: number;
  _source?: { shiplog: { shard: LeaseState & { fold?: number } } };
}

export class Leases {
  readonly #connection: Connection;
  readonly #index: string;

  constructor(connection: Connection, index: string) {
    this.#connection = connection;
    this.#index = index;
  }

  /** In the order of the question; null: nobody ever kept that shard. */
  async read(shards: readonly string[]): Promise<(Lease | null)[]> {
    if (shards.length === 0) return [];
    const { docs } = await this.#connection.expect<{ docs: Doc[] }>({
      method: 'POST',
      path: `/${this.#index}/_mget`,
      body: { ids: shards.map(shardId) },
      safe: true,
    });
    return shards.map((shard, i) => {
      const doc = docs[i];
      const state = doc?._source?.shiplog.shard;
      if (state === undefined) return null;
      const views = state.fold === FOLD_VERSION ? {} : OTHER_FOLD;
      return { ...state, ...views, shard, seqNo: doc?._seq_no ?? 0, term: doc?._primary_term ?? 0 };
    });
  }

  /** The lease as it now is; null: somebody else changed it first. */
  async change(shard: string, was: Lease | null, state: LeaseState): Promise<Lease | null> {
    const { owner, beat, folded, history, generation } = state;
    const { status, body } = await this.#connection.ask<{ _seq_no: number; _primary_term: number }>(
      {
        method: 'PUT',
        path: `/${this.#index}/_doc/${encodeURIComponent(shardId(shard))}`,
        query:
          was === null
            ? { op_type: 'create' }
            : { if_seq_no: was.seqNo, if_primary_term: was.term },
        body: {
          shiplog: {
            kind: 'shard',
            shard: { owner, beat, folded, history, generation, fold: FOLD_VERSION },
          },
        },
      },
    );
    if (status === 409) return null;
    if (status >= 300) throw unavailable(`The position of ${shard}: ${reasonOf(body)}`);
    return { ...state, shard, seqNo: body._seq_no, term: body._primary_term };
  }
}
