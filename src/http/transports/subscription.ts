/**
 * One subscription of a websocket: an iterator that sends its results itself, as bytes that others
 * share, and gives the library nothing but its end.
 */
import type { ExecutionResult, GraphQLError } from 'graphql';
import { hasData, type ResultStream } from '../../graphql/operation/result-stream.ts';

/** What a subscription needs of its socket. */
export interface Carrier {
  readonly draining: boolean;
  /** Resolves when the socket has gone. */
  readonly closed: Promise<void>;
  readonly subscriptions: Set<Subscription>;
  add(subscription: Subscription): void;
}

type Over = IteratorResult<never, undefined>;
const OVER: Over = { done: true, value: undefined };

/** Thrown out of a subscription: the protocol tells its errors as they are. */
export class Refused extends Error {
  readonly errors: readonly GraphQLError[];

  constructor({ errors = [] }: ExecutionResult) {
    super('refused');
    this.errors = errors;
  }
}

export class Subscription implements AsyncIterableIterator<never> {
  readonly #carrier: Carrier;
  readonly #stream: ResultStream;
  readonly #deliver: (result: ExecutionResult) => Promise<void>;
  readonly #ended: () => void;

  constructor(
    carrier: Carrier,
    stream: ResultStream,
    deliver: (result: ExecutionResult) => Promise<void>,
    ended: () => void,
  ) {
    this.#carrier = carrier;
    this.#stream = stream;
    this.#deliver = deliver;
    this.#ended = ended;
    carrier.add(this);
  }

  /** Settles when the subscription is over. */
  async next(): Promise<Over> {
    try {
      for (;;) {
        const { done, value } = await this.#stream.next();
        // The end is not told: its reader holds the cursor, and comes again when the socket closes.
        if (this.#carrier.draining) await this.#carrier.closed;
        if (done === true) return OVER;
        // The last one, which the protocol tells as an `error`.
        if (!hasData(value)) throw new Refused(value);
        await this.#deliver(value);
      }
    } finally {
      this.stop();
    }
  }

  async return(): Promise<Over> {
    this.stop();
    return OVER;
  }

  stop(): void {
    if (!this.#carrier.subscriptions.delete(this)) return;
    this.#ended();
    this.#stream.return().catch(() => {});
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
