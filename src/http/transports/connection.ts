/** One websocket: what runs over it, how much may, and how its bytes leave. */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { ShiplogError } from '../../domain/errors.ts';
import type { Principal, Standing } from '../auth.ts';
import type { Carrier, Subscription } from './subscription.ts';
import { nextFrame } from './text-frame.ts';

/** Operations of one socket at a time, with those that its client has completed and still run. */
export const MAX_OPERATIONS = 50;
const MAX_ID_LENGTH = 128;
/** Unsent bytes of one socket above which nothing is added to them. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Thrown out of the library's hooks to end the socket with a code. */
export class Close extends Error {
  readonly code: number;

  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

/**
 * Above the high water mark each sender waits until the one before has left. Results wait for
 * their turn and are few. Replies are as many as the peer cares to ask for: while one waits, a
 * peer that does not take its answers is not read.
 */
export class Connection implements Carrier {
  readonly socket: WebSocket;
  readonly raw: Socket;
  /** The header of the upgrade request; it counts where `connection_init` carries no token. */
  readonly authorization: string | undefined;
  readonly subscriptions = new Set<Subscription>();
  /** Aborts queries when the socket has gone. */
  readonly gone = new AbortController();
  readonly closed: Promise<void>;
  principal: Principal | null = null;
  stopWatch: () => void = () => {};
  draining = false;
  /** Ids of all operations whose handling is not over. */
  readonly #ids = new Set<string>();
  #begun: string | null = null;
  readonly #end: () => void;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(socket: WebSocket, raw: Socket, authorization: string | undefined) {
    this.socket = socket;
    this.raw = raw;
    this.authorization = authorization;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#end = resolve;
  }

  /**
   * A message is being handled for as long as its operation runs, and for so long its id is taken.
   */
  async handle(receive: () => Promise<void>): Promise<void> {
    this.#begun = null;
    const done = receive();
    // The library calls `onSubscribe`, and so `begin`, before it first waits.
    const id: string | null = this.#begun;
    try {
      await done;
    } finally {
      if (id !== null) {
        this.#ids.delete(id);
        this.#closeWhenDrained();
      }
    }
  }

  /** Throws Close where the socket must end for it, else what the operation is refused for. */
  begin(id: string): void {
    if (this.socket.readyState !== this.socket.OPEN) throw new Close(1000, '');
    if (id.length > MAX_ID_LENGTH) throw new Close(4400, 'Invalid message received');
    // One that its client has completed is still ending: the library would confuse the two.
    if (this.#ids.has(id)) throw new Close(4409, `Subscriber for ${id} already exists`);
    if (this.draining) throw new ShiplogError('SHUTTING_DOWN', 'The server is stopping');
    if (this.#ids.size >= MAX_OPERATIONS) {
      throw new ShiplogError(
        'OVERLOADED',
        `This websocket has ${MAX_OPERATIONS} operations already, the most that one may have`,
        { retryAfterMs: 1000 },
      );
    }
    this.#begun = id;
    this.#ids.add(id);
  }

  add(subscription: Subscription): void {
    this.subscriptions.add(subscription);
    if (this.gone.signal.aborted) subscription.stop();
    this.#closeWhenDrained();
  }

  /** What runs ends now, and not only when the peer has closed, too. */
  close(code?: number, reason?: string): void {
    this.socket.close(code, reason);
    this.end();
  }

  /** After 4403 clients ask for a new token. */
  tokenEnded(standing: Standing): void {
    this.close(4403, `The token is ${standing}`);
  }

  /** What is being executed is answered, then 1012, upon which clients connect again. */
  drain(): void {
    this.draining = true;
    this.#closeWhenDrained();
  }

  #closeWhenDrained(): void {
    if (this.draining && this.#ids.size === this.subscriptions.size) {
      this.socket.close(1012, 'Service restart');
    }
  }

  /** The socket has gone: nothing stays behind. */
  end(): void {
    this.stopWatch();
    this.gone.abort();
    for (const subscription of this.subscriptions) subscription.stop();
    this.#end();
  }

  reply(text: string): Promise<void> {
    const left = this.#inTurn((done) => this.socket.send(text, done));
    if (this.socket.bufferedAmount > HIGH_WATER_BYTES) {
      this.#waiting++;
      this.socket.pause();
      void left.then(() => {
        this.#waiting--;
        if (this.#waiting === 0) this.socket.resume();
      });
    }
    return left;
  }

  /** Frames go to the connection itself: without compression ws writes at once, so order holds. */
  deliver(opening: Buffer, result: Buffer): Promise<void> {
    return this.#inTurn((done) => this.raw.write(nextFrame(opening, result), () => done()));
  }

  #inTurn(write: (done: () => void) => void): Promise<void> {
    const { socket } = this;
    const sent = (): Promise<void> =>
      new Promise((resolve) => {
        if (socket.readyState === socket.OPEN) write(() => resolve());
        else resolve();
      });
    this.#last = socket.bufferedAmount > HIGH_WATER_BYTES ? this.#last.then(sent) : sent();
    return this.#last;
  }
}
