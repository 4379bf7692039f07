/** The rows of a live board: which there are, how many of each status, about what they hold. */
import { moveRun, NO_RUNS, type RunTotals } from '../../domain/fold/fold.ts';
import type { BoardRow } from './board-row.ts';

export class BoardRows {
  readonly #rows = new Map<string, BoardRow>();
  /** Rows that must be derived anew. */
  readonly dirty = new Set<BoardRow>();
  /** All rows by the name of their host; null: rows came or went since. */
  #sorted: readonly BoardRow[] | null = null;
  /** The hosts of `#sorted`; null as there. */
  #hosts: readonly string[] | null = null;
  #totals: RunTotals = NO_RUNS;
  #bytes = 0;

  get size(): number {
    return this.#rows.size;
  }
  /** How many runs there are of each status. */
  get totals(): RunTotals {
    return this.#totals;
  }
  /** About what they hold in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get(host: string): BoardRow | undefined {
    return this.#rows.get(host);
  }

  all(): BoardRow[] {
    return [...this.#rows.values()];
  }

  /** The same list until rows come or go, for many readers keep it. */
  sorted(): readonly BoardRow[] {
    this.#sorted ??= this.all().sort((a, b) => (a.host < b.host ? -1 : 1));
    return this.#sorted;
  }

  /** The same for their hosts. */
  hosts(): readonly string[] {
    this.#hosts ??= [...this.#rows.keys()];
    return this.#hosts;
  }

  add(row: BoardRow): BoardRow {
    this.#rows.set(row.host, row);
    this.#bytes += row.bytes;
    this.dirty.add(row);
    this.#forgetLists();
    return row;
  }

  remove(row: BoardRow): void {
    this.#rows.delete(row.host);
    this.dirty.delete(row);
    this.#bytes -= row.bytes;
    this.count(row, null);
    row.version = -1;
    this.#forgetLists();
  }

  /** Moves a run in the totals. */
  count(row: BoardRow, base: BoardRow['base']): void {
    if (row.base !== base) this.#totals = moveRun(this.#totals, row.base, base);
    row.base = base;
  }

  /** Lets `change` change a row, whose status and size may be others then. */
  update<T>(row: BoardRow, change: () => T): T {
    const { base, bytes } = row;
    const result = change();
    this.#bytes += row.bytes - bytes;
    if (row.base !== base) this.#totals = moveRun(this.#totals, base, row.base);
    return result;
  }

  allDirty(): void {
    for (const row of this.#rows.values()) this.dirty.add(row);
  }

  #forgetLists(): void {
    this.#sorted = null;
    this.#hosts = null;
  }
}
