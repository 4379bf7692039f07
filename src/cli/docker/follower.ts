/** Follows the logs of all containers of an engine, those that are there and those that start. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Mappings } from '../../senders/mapping/mappings.ts';
import { backoff } from '../client.ts';
import { messageOf } from '../exit.ts';
import { say } from '../output.ts';
import type { Delivery } from './delivery.ts';
import { type Container, type Engine, EngineError } from './engine.ts';
import { lineReader } from './frames.ts';
import { LineEvents } from './line-events.ts';
import type { Positions } from './positions.ts';

export interface FollowOptions {
  engine: Engine;
  delivery: Delivery;
  positions: Positions;
  mappings: Mappings;
  host: string;
  /** Labels that a container must have. */
  labels: readonly string[];
  /** Epoch seconds from which logs are read that were never read before. */
  since: number;
  /** false: what is there, and then the end. */
  follow: boolean;
  signal: AbortSignal;
}

/** A container that carries it is left alone. */
const IGNORE_LABEL = 'shiplog.ignore';

export class Follower {
  readonly #options: FollowOptions;
  readonly #reading = new Map<string, Promise<void>>();
  /** Those that are to be looked at again, for they started while they were still read. */
  readonly #again = new Set<string>();
  readonly #ended = new Set<string>();
  #failure: unknown = null;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Until the signal; without `follow` until everything is read, and rejects where it was not. */
  async run(): Promise<void> {
    const { engine, labels, follow, positions, signal } = this.#options;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const before = Math.floor(Date.now() / 1_000);
        const ids = await engine.containers(labels);
        if (labels.length === 0) positions.keep(new Set(ids));
        for (const id of ids) if (!this.#ended.has(id)) this.#begin(id);
        if (!follow) break;
        for await (const id of engine.starts(before, labels, signal)) {
          attempt = 1;
          this.#begin(id);
        }
      } catch (error) {
        if (signal.aborted) break;
        if (!follow) throw error;
        say(`shiplog: the engine cannot be asked: ${messageOf(error)}; trying again`);
      }
      await wait(backoff(attempt, null), undefined, { signal }).catch(() => undefined);
    }
    await Promise.all(this.#reading.values());
    if (this.#failure !== null) throw this.#failure;
  }

  #begin(id: string): void {
    if (this.#reading.has(id)) {
      this.#again.add(id);
      return;
    }
    const reading = this.#readAll(id)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#reading.delete(id));
    this.#reading.set(id, reading);
  }

  async #readAll(id: string): Promise<void> {
    const { engine, follow, signal } = this.#options;
    for (let attempt = 1; !signal.aborted; attempt++) {
      this.#again.delete(id);
      try {
        const container = await engine.inspect(id);
        if (container === null || container.labels[IGNORE_LABEL] === 'true') return;
        if (await this.#readOnce(container)) attempt = 1;
        const running = follow && ((await engine.inspect(id))?.running ?? false);
        if (!running && !this.#again.has(id)) {
          this.#ended.add(id);
          return;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof EngineError) {
          say(`shiplog: ${id.slice(0, 12)} is not followed: ${error.message}`);
          return;
        }
        if (!isOfEngine(error)) throw error;
        if (!follow) throw error;
      }
      await wait(backoff(attempt, null), undefined, { signal }).catch(() => undefined);
    }
  }

  /** true: there was something to read. */
  async #readOnce(container: Container): Promise<boolean> {
    const { engine, delivery, positions, mappings, host, since, follow, signal } = this.#options;
    const from = positions.since(container.id) ?? since;
    const answer = await engine.logs(container.id, { since: from, follow, signal });
    const reader = lineReader(container.tty);
    const events = new LineEvents(container, host, mappings);
    let any = false;
    const add = async (lines: ReturnType<typeof reader.push>): Promise<void> => {
      for (const line of lines) {
        any = true;
        const event = events.event(line, Date.now());
        await delivery.add({ event, container: container.id, time: line.time });
      }
    };
    for await (const chunk of answer as AsyncIterable<Buffer>) await add(reader.push(chunk));
    await add(reader.end());
    return any;
  }
}

/** Whether the engine itself went away: it comes back, and is waited for. */
function isOfEngine(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return ['ECONNRESET', 'ECONNREFUSED', 'ENOENT', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
    code ?? '',
  );
}
