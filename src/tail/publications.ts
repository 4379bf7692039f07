/** Who hears of what became durable. */
import type { StoredEvent } from '../domain/event/event.ts';
import { guarded } from '../guarded.ts';
import type { Log } from '../log.ts';
import type { Heads } from './heads.ts';

export interface Publication {
  tick: number;
  /** Events of one shard, in order; may be empty if the shard only moved. */
  events: StoredEvent[];
  /** Where all shards stand after this publication. */
  heads: Heads;
  /** Events of this shard were skipped (nobody followed it, or it is new here), so it is not whole. */
  skipped: string | null;
}

export type Listener = (publication: Publication) => void;

export class Publications {
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** One that throws harms neither the append that is published nor the other listeners. */
  listen(listener: Listener): () => void {
    let told: Publication | null = null;
    const tell = guarded(this.#log, 'a follower of the log', () => {
      if (told !== null) listener(told);
    });
    const guardedListener = (publication: Publication) => {
      told = publication;
      tell();
    };
    this.#listeners.add(guardedListener);
    return () => this.#listeners.delete(guardedListener);
  }

  tell(publication: Publication): void {
    for (const listener of this.#listeners) listener(publication);
  }

  close(): void {
    this.#listeners.clear();
  }
}
