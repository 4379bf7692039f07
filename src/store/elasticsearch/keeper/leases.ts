/**
 * Who keeps the views of a shard, and up to where they are: one small document per shard, changed
 * by compare-and-set only.
 *
 * Clocks are not compared. A keeper changes its document every so often; who wants to take over
 * watches it, and may do so when it has not changed for the whole lease, by its own clock.
 */
import { z } from 'zod';
import { FOLD_VERSION } from '../../../domain/fold/fold.ts';
import { type Connection, reasonOf, unavailable } from '../cluster/connection.ts';
import { getDocumentsAs } from '../cluster/documents.ts';
import { shardId } from '../indices/ids.ts';

export interface LeaseState {
  owner: string | null;
  /** Counted up so that an idle keeper's document changes too. */
  beat: number;
  /** Views hold everything at or below this seq. */
  folded: number;
  /** The shard's history; another one means that the log was restored. */
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

/** A position that is no number would make a keeper fold from nowhere. */
const STATE = z.object({
  owner: z.string().nullable().default(null),
  beat: z.int(),
  folded: z.int(),
  history: z.int(),
  generation: z.int(),
  fold: z.int().optional(),
});
const LEASE = z.object({ shiplog: z.object({ shard: STATE }) });
/** Where it is stored: without it nothing could be changed again. */
const STORED = z.object({ _seq_no: z.int(), _primary_term: z.int() });

export class Leases {
  readonly #connection: Connection;
  readonly #index: string;

  constructor(connection: Connection, index: string) {
    this.#connection = connection;
    this.#index = index;
  }

  /** In the order of the question; null: nobody ever kept that shard. */
  async read(shards: readonly string[]): Promise<(Lease | null)[]> {
    const docs = await getDocumentsAs(
      LEASE,
      this.#connection,
      shards.map((shard) => ({ index: this.#index, id: shardId(shard) })),
    );
    return shards.map((shard, i) => {
      const doc = docs[i];
      if (doc == null) return null;
      const { seqNo, term, source } = doc;
      const { fold, ...state } = source.shiplog.shard;
      const views = fold === FOLD_VERSION ? {} : OTHER_FOLD;
      return { ...state, ...views, shard, seqNo, term };
    });
  }

  /** The lease as it now is; null: somebody else changed it first. */
  async change(shard: string, was: Lease | null, state: LeaseState): Promise<Lease | null> {
    const { owner, beat, folded, history, generation } = state;
    const { status, body } = await this.#connection.ask(
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
      STORED,
    );
    if (status === 409) return null;
    if (status >= 300) throw unavailable(`The position of ${shard}: ${reasonOf(body)}`);
    const { _seq_no: seqNo, _primary_term: term } = body;
    return { ...state, shard, seqNo, term };
  }
}
