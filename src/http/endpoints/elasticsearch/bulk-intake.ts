/** What a `_bulk` brings: its actions, and its documents taken a batch at a time. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ShiplogError } from '../../../domain/errors.ts';
import type { ForeignDocument } from '../../../senders/foreign-document.ts';
import {
  type BulkReplyItem,
  decidedItem,
  refusedItem,
} from '../../../senders/elasticsearch/bulk-reply.ts';
import {
  type BulkAction,
  bulkActions,
  readDocument,
} from '../../../senders/elasticsearch/bulk-request.ts';
import type { Refusal } from '../../../senders/elasticsearch/clients.ts';
import { ElasticsearchError, isForNow } from '../../../senders/elasticsearch/errors.ts';
import { bodyDigest } from '../../../senders/identity.ts';
import { BATCH, type DocumentOutcome, type Senders } from '../../../senders/senders.ts';
import type { Principal } from '../../auth.ts';

/** Bytes of documents that are parsed, mapped and stored at a time. */
const BATCH_BYTES = 1024 * 1024;
/** Action lines that are read before others have their turn. */
const ACTIONS_A_TURN = 2_000;
/** Of one request: its answer has an item for each, which is many times as long as the shortest action. */
export const MAX_ACTIONS = 200_000;

export interface BulkRequest {
  body: Buffer;
  actions: readonly BulkAction[];
  principal: Principal;
  /** How its client is told that something cannot be taken now. */
  refusal: Refusal;
}

export async function allActions(body: Buffer, pathIndex: string | null): Promise<BulkAction[]> {
  const actions: BulkAction[] = [];
  for (const action of bulkActions(body, pathIndex)) {
    actions.push(action);
    if (actions.length > MAX_ACTIONS) {
      throw new ShiplogError(
        'BODY_TOO_LARGE',
        `The request has over ${MAX_ACTIONS} items; send smaller ones`,
      );
    }
    if (actions.length % ACTIONS_A_TURN === 0) await nextTurn();
  }
  if (actions.length === 0) {
    throw new ElasticsearchError(
      400,
      'parse_exception',
      'request body is required: an action line and a document for each item',
    );
  }
  return actions;
}

/** The documents of one request, each with an item of its own. */
export class BulkIntake {
  readonly #senders: Senders;
  readonly #now: () => number;
  readonly #request: BulkRequest;
  readonly #items: BulkReplyItem[] = [];

  constructor(senders: Senders, now: () => number, request: BulkRequest) {
    this.#senders = senders;
    this.#now = now;
    this.#request = request;
  }

  /** Rejects where the rest cannot be taken now, and the client is told so of its whole request. */
  async take(target: string): Promise<BulkReplyItem[]> {
    const { body, actions } = this.#request;
    // Documents with ids of their own are known by these, whatever body they come in.
    const digest = actions.some(({ id }) => id === null) ? bodyDigest(body, target) : '';
    for (let from = 0; from < actions.length; ) {
      const to = this.#endOfBatch(from);
      try {
        await this.#store(from, to, digest);
      } catch (error) {
        if (!(error instanceof ShiplogError) || !isForNow(error)) throw error;
        if (this.#request.refusal !== 'items') throw error;
        this.#refuse(from, error);
        break;
      }
      from = to;
      // Those that are wrong wait for no store.
      await nextTurn();
    }
    return this.#items;
  }

  #endOfBatch(from: number): number {
    let bytes = 0;
    let to = from;
    while (to < this.#request.actions.length && to - from < BATCH && bytes < BATCH_BYTES) {
      const line = this.#request.actions[to]?.line;
      if (line != null) bytes += line.to - line.from;
      to++;
    }
    return to;
  }

  async #store(from: number, to: number, digest: string): Promise<void> {
    const places: number[] = [];
    const outcomes = await this.#takeDocuments(from, to, digest, places);
    for (const [k, at] of places.entries()) {
      const action = this.#request.actions[at] as BulkAction;
      const outcome = outcomes[k] as DocumentOutcome;
      this.#items[at] = { [action.name]: decidedItem(action, outcome) };
    }
  }

  /** `places`: gets those of the documents that were taken. Not async: none is held longer. */
  #takeDocuments(
    from: number,
    to: number,
    digest: string,
    places: number[],
  ): Promise<DocumentOutcome[]> {
    const senders = this.#senders;
    const { principal } = this.#request;
    const receivedAt = this.#now();
    const documents: ForeignDocument[] = [];
    for (let at = from; at < to; at++) {
      const action = this.#request.actions[at] as BulkAction;
      try {
        const { fields, replaced, index, id } = readDocument(this.#request.body, action);
        if (replaced) senders.noteMisfit({ reason: 'text', field: '' }, index);
        const identity =
          id === null
            ? ({ by: 'body', digest, ordinal: at } as const)
            : ({ by: 'id', space: index, id } as const);
        documents.push({ kind: 'elasticsearch', index, identity, fields, receivedAt });
        places.push(at);
      } catch (error) {
        if (!(error instanceof ElasticsearchError)) throw error;
        this.#items[at] = { [action.name]: refusedItem(action, error) };
        senders.noteRejected({ code: 'BAD_JSON', message: error.message, field: null }, principal);
      }
    }
    return senders.take(documents, principal);
  }

  /** Refuses the actions from this one on; they may be sent again. */
  #refuse(from: number, error: ShiplogError): void {
    const told = new ElasticsearchError(429, 'es_rejected_execution_exception', error.message);
    for (let at = from; at < this.#request.actions.length; at++) {
      const action = this.#request.actions[at] as BulkAction;
      this.#items[at] = { [action.name]: refusedItem(action, told) };
    }
  }
}
