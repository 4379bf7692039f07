/** The engine's numbers for /metrics. */
import { statSync } from 'node:fs';

export class Metrics {
  #appends = 0;
  #events = 0;
  #appendMs = 0;

  appended(events: number, milliseconds: number): void {
    this.#appends++;
    this.#events += events;
    this.#appendMs += milliseconds;
  }

  read(file: string, now: Record<string, number>): Record<string, number> {
    return {
      ...now,
      store_appends_total: this.#appends,
      store_append_events_total: this.#events,
      store_append_seconds_total: this.#appendMs / 1_000,
      store_database_bytes: size(file),
      store_wal_bytes: size(`${file}-wal`),
    };
  }
}

function size(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
