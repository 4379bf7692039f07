/** NDJSON, which is read as it comes, stored in order, and slowed down to the speed of the store. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ShiplogError } from '../../../domain/errors.ts';
import {
  BODY_WAIT_MS,
  type BodyBudget,
  bodyChunks,
  refuseUntoldGzip,
  tooSlow,
} from '../../body/body.ts';
import { ByteLines, type Line } from '../../body/byte-lines.ts';
import type { Exchange } from '../../route.ts';
import type { Intake } from './intake.ts';
import { type Item, MAX_LINE_BYTES, readBytes } from './items.ts';

/** Lines of one append, and their bytes. */
const BATCH = 1_000;
const BATCH_BYTES = 512 * 1024;
/** How long lines wait for more of them to be stored with. */
const LINGER_MS = 5;
/** NDJSON is not held in memory, so more of it is taken than of other bodies. */
export const STREAM_FACTOR = 32;
const NOTHING = Buffer.alloc(0);

export interface LinesOptions {
  maxBodyBytes: number;
  budget: BodyBudget;
  /** The longest pause of a stream. */
  waitMs?: number;
  /** The sender paused for longer: it is answered now. */
  onTooSlow: (error: ShiplogError) => void;
}

export async function takeLines(
  { request, principal }: Exchange,
  { maxBodyBytes, budget, waitMs = BODY_WAIT_MS, onTooSlow }: LinesOptions,
  intake: Intake,
): Promise<void> {
  const splitter = new ByteLines(MAX_LINE_BYTES);
  const gathering = new Gathering(intake);
  // Only what has come is counted: a stream that waits for its sender takes nothing from others.
  const hold = budget.open(principal.tokenId);
  const count = (piece: Buffer): void =>
    hold.set(splitter.heldBytes + gathering.heldBytes + piece.length);
  // Only the sender's pauses count, not how long the store takes.
  let gaveUp = false;
  const giveUp = (): void => {
    gaveUp = true;
    onTooSlow(tooSlow(waitMs));
  };
  let pause: NodeJS.Timeout | undefined;
  const chunks = bodyChunks(request, maxBodyBytes * STREAM_FACTOR, Infinity);
  try {
    let next = chunks.next();
    let isFirst = true;
    for (;;) {
      pause = setTimeout(giveUp, waitMs);
      const arrived = await gathering.wait(next);
      clearTimeout(pause);
      if (gaveUp) return;
      if (arrived === null) {
        await gathering.flush();
        count(NOTHING);
      } else if (arrived.done === true) {
        break;
      } else {
        if (isFirst) refuseUntoldGzip(arrived.value);
        isFirst = false;
        count(arrived.value);
        for (const line of splitter.push(arrived.value)) {
          await gathering.add(line);
          // A piece may be two million lines, and those that are empty or wrong wait for no store.
          if (line.index % BATCH === BATCH - 1) await nextTurn();
        }
        count(NOTHING);
        next = chunks.next();
      }
    }
    for (const line of splitter.end()) await gathering.add(line);
    await gathering.settle();
  } catch (error) {
    if (gaveUp) return;
    // What arrived whole is stored, though the sender went in the middle.
    await gathering.settle();
    throw error;
  } finally {
    clearTimeout(pause);
    hold.release();
    chunks.stop();
  }
}

/**
 * Gathers the next batch of a stream while the one before it is stored: a stream in full flow is
 * stored in large batches, and a slow one does not wait for its batch to be full.
 */
class Gathering {
  readonly #intake: Intake;
  #items: Item[] = [];
  #bytes = 0;
  #seen = 0;
  #storing: Promise<void> = Promise.resolve();

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  async add(line: Line): Promise<void> {
    const item = readBytes(line);
    if (item !== null) this.#items.push(item);
    this.#bytes += line.bytes?.length ?? 0;
    this.#seen = line.index + 1;
    if (this.#items.length >= BATCH || this.#bytes >= BATCH_BYTES) await this.flush();
  }

  /** Begins to store what there is, as soon as the batch before it is stored. */
  async flush(): Promise<void> {
    await this.#storing;
    const [items, upTo] = [this.#items, this.#seen];
    this.#items = [];
    this.#bytes = 0;
    this.#storing = this.#intake.store(items, upTo);
    // A failure is told by the next `wait`, `flush` or `settle`.
    this.#storing.catch(() => undefined);
  }

  /** Resolves when everything is stored; rejects when a batch was not, and tries none after it. */
  async settle(): Promise<void> {
    await this.flush();
    await this.#storing;
  }

  /** What comes, or null where it is time to store what there is. Rejects when a batch fails. */
  async wait<T>(next: Promise<T>): Promise<T | null> {
    let linger: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T | null>((resolve, reject) => {
        next.then(resolve, reject);
        this.#storing.catch(reject);
        if (this.#items.length === 0) return;
        // A busy event loop runs timers before it reads sockets: what has arrived is read first.
        linger = setTimeout(() => setImmediate(resolve, null), LINGER_MS);
      });
    } finally {
      clearTimeout(linger);
    }
  }
}
