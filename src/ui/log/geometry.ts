/**
 * Where rows are. Those of the window stand behind `offset` others that are not here; where lines
 * are wrapped, the rows of the window have heights of their own.
 */

export const ROW = 20;
/** What a browser can scroll, in rows; longer logs are scrolled in larger steps. */
const ROWS_MAX = 600_000;

export class Geometry {
  /** Rows before the first line that is here. */
  readonly offset: number;
  /** Rows in all. */
  readonly count: number;
  readonly #here: number;
  readonly #scale: number;
  /** Pixels from the first line that is here to the end of each; null: all rows are of one height. */
  readonly #ends: Float64Array | null;

  constructor(before: number, here: number, total: number, heights: Float64Array | null) {
    this.#scale = Math.max(1, total / ROWS_MAX);
    this.offset = Math.round(before / this.#scale);
    this.count = Math.max(this.offset + here, Math.round(total / this.#scale));
    this.#here = here;
    let end = 0;
    this.#ends = heights === null ? null : heights.map((height) => (end += height));
  }

  get height(): number {
    return this.topOf(this.count);
  }

  topOf(row: number): number {
    const at = Math.min(row - this.offset, this.#here);
    if (this.#ends === null || at <= 0) return row * ROW;
    return this.offset * ROW + (this.#ends[at - 1] as number) + (row - this.offset - at) * ROW;
  }

  rowAt(pixels: number): number {
    const inside = pixels - this.offset * ROW;
    if (this.#ends === null || inside <= 0) return clamp(Math.floor(pixels / ROW), this.count);
    const end = this.#ends[this.#here - 1] ?? 0;
    if (inside >= end) {
      return clamp(this.offset + this.#here + Math.floor((inside - end) / ROW), this.count);
    }
    let [low, high] = [0, this.#here - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] as number) > inside) high = middle;
      else low = middle + 1;
    }
    return this.offset + low;
  }

  /** The number in the log of the line at this row, where it is not here. */
  lineAt(row: number): number {
    return Math.round(row * this.#scale);
  }
}

function clamp(row: number, count: number): number {
  return Math.max(0, Math.min(row, count - 1));
}
