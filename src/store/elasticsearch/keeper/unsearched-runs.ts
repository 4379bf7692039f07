/**
 * Which runs searches may not show as they are: something of them was laid out since the last refresh
 * that is known of. Others may have come into searches meanwhile, by a refresh of the cluster's own.
 */

/** Runs of all tasks of a shard. If there are more, none is known until a refresh. */
const STORED_RUNS_MAX = 20_000;

export class UnsearchedRuns {
  /** By task and host: the number of the write that takes what was laid out last. */
  readonly #runs = new Map<string, Map<string, number>>();
  #size = 0;
  #nextWrite = 1;
  /** The last write that has ended. */
  #stored = 0;
  /** The last write that searches are known to show. */
  #shown = -1;
  /** What a keeper before this one stored, and what was forgotten, is shown when this write is. */
  #unknownTo = 0;

  add(taskId: string, host: string): void {
    const hosts = this.#runs.get(taskId) ?? new Map<string, number>();
    this.#runs.set(taskId, hosts);
    if (!hosts.has(host)) this.#size++;
    hosts.set(host, this.#nextWrite);
  }

  /** Hosts of a task whose runs may differ in searches, or be in none; null: it is not known. */
  of(taskId: string): string[] | null {
    if (this.#shown < this.#unknownTo) return null;
    return [...(this.#runs.get(taskId)?.keys() ?? [])];
  }

  /** All that was added until now is being written. */
  writing(): void {
    this.#nextWrite++;
  }

  written(): void {
    this.#stored = this.#nextWrite - 1;
    if (this.#size <= STORED_RUNS_MAX) return;
    this.#unknownTo = this.#stored;
    this.#forget(this.#stored);
  }

  /** Call it before a refresh, and what it returns when the refresh has ended. */
  refreshing(): () => void {
    const through = this.#stored;
    return () => {
      this.#shown = Math.max(this.#shown, through);
      this.#forget(through);
    };
  }

  #forget(through: number): void {
    for (const [taskId, hosts] of this.#runs) {
      for (const [host, write] of hosts) {
        if (write > through) continue;
        hosts.delete(host);
        this.#size--;
      }
      if (hosts.size === 0) this.#runs.delete(taskId);
    }
  }
}
