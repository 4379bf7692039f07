/**
 * How the cluster is, looked at every second, so that whoever asks need not wait for one that
 * hangs: readiness is told at once, and reads end as soon as it is known that nothing is answered.
 * A cluster that is slow is not silent: any answer to anything counts.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { guarded } from '../../../guarded.ts';
import type { StoreHealth } from '../../store.ts';
import type { Connection } from '../cluster/connection.ts';
import type { StoreLog } from '../cluster/store-log.ts';

const EVERY_MS = 1_000;
/** A look that is not answered in time gives up. */
export const LOOK_MS = 1_000;
/** After so many misses in a row, with nothing else answered meanwhile, the cluster hangs. */
const MISSES = 2;
/** Whoever asks how it is waits no longer for a new look; then the last one is told. */
const ASK_MS = 400;

const HANGS: StoreHealth = { ok: false, detail: 'Elasticsearch does not answer' };

export interface HealthWatchParts {
  connection: Connection;
  /** Resolves within LOOK_MS; never rejects. */
  look: () => Promise<StoreHealth>;
  log: StoreLog | null;
}

export class HealthWatch {
  readonly #parts: HealthWatchParts;
  #last: StoreHealth = { ok: true, detail: 'Elasticsearch was not looked at yet' };
  #misses = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(parts: HealthWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#schedule(EVERY_MS);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** The health now, or within the last seconds; answers in well under a second. */
  async now(): Promise<StoreHealth> {
    if (this.#parts.connection.isSilent) return HANGS;
    const given = new AbortController();
    const late = pause(ASK_MS, null, { signal: given.signal }).catch(() => null);
    const found = await Promise.race([this.#look(), late]);
    given.abort();
    return found ?? (this.#parts.connection.isSilent ? HANGS : this.#last);
  }

  /** null: the cluster did not say. */
  async #look(): Promise<StoreHealth | null> {
    const began = performance.now();
    const found = await this.#parts.look();
    // What could not be asked within the time may only be slow.
    const missed = !found.ok && performance.now() - began >= LOOK_MS * 0.9;
    if (!missed) this.#last = found;
    return missed ? null : found;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    const turn = guarded(this.#parts.log, 'looking at Elasticsearch', async () => {
      try {
        await this.#turn();
      } finally {
        this.#schedule(this.#misses > 0 && this.#misses < MISSES ? 0 : EVERY_MS);
      }
    });
    this.#timer = setTimeout(turn, ms);
    this.#timer.unref();
  }

  async #turn(): Promise<void> {
    const { connection, log } = this.#parts;
    const began = performance.now();
    const found = await this.#look();
    if (this.#closed) return;
    if (found !== null || connection.answeredAt > began) {
      if (this.#misses >= MISSES) log?.warn({}, 'Elasticsearch answers again');
      this.#misses = 0;
    } else if (++this.#misses >= MISSES) {
      if (this.#misses === MISSES) log?.warn({}, HANGS.detail);
      connection.setSilent();
    }
  }
}
