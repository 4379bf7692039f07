/**
 * Where rows are. Of a log some lines are here, and each of them has a row; those before and behind
 * them have rows too, as many as there are lines, or fewer where a browser could not scroll so far.
 * Where lines are wrapped, the rows of those that are here have heights of their own.
 */

export const ROW = 20;

/** How many lines are before those that are here, here, and behind them. */
export interface Extent {
  before: number;
  here: number;
  after: number;
}

/** How far the rows before may be from what is right in proportion before they are placed anew. */
const DRIFT = 2;
/** How many more rows than `rowsMax` there may be until then. */
const SLACK = 1.25;

/**
 * Rows before those that are here. While somebody reads on, a line more or less before is a row more
 * or less, so that nothing moves: `held` is what is before when it is counted so; null: nobody reads
 * yet. Once that is far from proportional, or no longer possible, the rows are placed anew.
 */
export function rowsBefore(extent: Extent, held: number | null, rowsMax: number): number {
  const { before, here } = extent;
  const scale = scaleOf(extent, rowsMax);
  const proportional = Math.ceil(before / scale);
  if (held === null || scale === 1) return proportional;
  const possible = held <= before && held + here + rowsAfter(extent, rowsMax) <= rowsMax * SLACK;
  return possible && held * DRIFT >= proportional ? held : proportional;
}

function rowsAfter(extent: Extent, rowsMax: number): number {
  return Math.ceil(extent.after / scaleOf(extent, rowsMax));
}

/** Lines to a row. */
function scaleOf({ before, here, after }: Extent, rowsMax: number): number {
  return Math.max(1, (before + here + after) / rowsMax);
}

export class Geometry {
  /** Rows before the first line that is here. */
  readonly offset: number;
  /** Rows in all. */
  readonly count: number;
  readonly #extent: Extent;
  /** Pixels from the first line that is here to the end of each; null: all rows are of one height. */
  readonly #ends: Float64Array | null;

  constructor(extent: Extent, offset: number, rowsMax: number, heights: Float64Array | null) {
    this.offset = offset;
    this.count = offset + extent.here + rowsAfter(extent, rowsMax);
    this.#extent = extent;
    let end = 0;
    this.#ends = heights === null ? null : heights.map((height) => (end += height));
  }

  get height(): number {
    return this.topOf(this.count);
  }

  topOf(row: number): number {
    const at = Math.min(row - this.offset, this.#extent.here);
    if (this.#ends === null || at <= 0) return row * ROW;
    return this.offset * ROW + (this.#ends[at - 1] as number) + (row - this.offset - at) * ROW;
  }

  rowAt(pixels: number): number {
    const { here } = this.#extent;
    const inside = pixels - this.offset * ROW;
    if (this.#ends === null || inside <= 0) return clamp(Math.floor(pixels / ROW), this.count);
    const end = this.#ends[here - 1] ?? 0;
    if (inside >= end) {
      return clamp(this.offset + here + Math.floor((inside - end) / ROW), this.count);
    }
    let [low, high] = [0, here - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] as number) > inside) high = middle;
      else low = middle + 1;
    }
    return this.offset + low;
  }

  /** The number in the log, from 0, of the line at this row. */
  lineAt(row: number): number {
    const { before, here, after } = this.#extent;
    if (row < this.offset) return Math.floor((row * before) / this.offset);
    const inside = row - this.offset;
    if (inside < here) return before + inside;
    const behind = this.count - this.offset - here;
    return before + here + Math.floor(((inside - here) * after) / behind);
  }
}

function clamp(row: number, count: number): number {
  return Math.max(0, Math.min(row, count - 1));
}
