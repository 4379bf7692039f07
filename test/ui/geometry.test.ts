import { describe, expect, it } from 'vitest';
import { type Extent, Geometry, ROW, rowsBefore } from '../../src/ui/log/geometry.ts';

const ROWS_MAX = 10_000;
/** Lines that are kept, and that come at once. */
const WINDOW = 600;
const PAGE = 40;

/** Reads on from some lines of a log, a page at a time, as the log does. */
class Reader {
  readonly lines: number;
  extent: Extent;
  offset: number;
  /** Pixels by which the line that is read was moved, page by page. */
  readonly moves: number[] = [];

  constructor(lines: number, from: number, row: number | null = null) {
    this.lines = lines;
    const here = Math.min(PAGE, lines - from);
    this.extent = { before: from, here, after: lines - from - here };
    this.offset = rowsBefore(this.extent, row, ROWS_MAX);
  }

  get geometry(): Geometry {
    return new Geometry(this.extent, this.offset, ROWS_MAX, null);
  }

  #move(extent: Extent, held: number): void {
    this.offset = rowsBefore(extent, held, ROWS_MAX);
    this.extent = extent;
    this.moves.push((this.offset - held) * ROW);
  }

  up(): void {
    const { before, here, after } = this.extent;
    const more = Math.min(PAGE, before);
    const dropped = Math.max(0, here + more - WINDOW);
    const extent = { before: before - more, here: here + more - dropped, after: after + dropped };
    this.#move(extent, this.offset - more);
  }

  down(): void {
    const { before, here, after } = this.extent;
    const more = Math.min(PAGE, after);
    const dropped = Math.max(0, here + more - WINDOW);
    const extent = { before: before + dropped, here: here + more - dropped, after: after - more };
    this.#move(extent, this.offset + dropped);
  }
}

describe('the rows of a log', () => {
  it('are its lines, as long as a browser can scroll so many', () => {
    const reader = new Reader(ROWS_MAX, 4_000);
    expect(reader.offset).toBe(4_000);
    expect(reader.geometry.count).toBe(ROWS_MAX);
    while (reader.extent.before > 0) reader.up();
    while (reader.extent.after > 0) reader.down();
    expect(new Set(reader.moves)).toEqual(new Set([0]));
  });

  it('stay where they are while somebody reads on in a log that is longer', () => {
    for (const lines of [ROWS_MAX + 1, 17_000, 100_000]) {
      const down = new Reader(lines, 0);
      while (down.extent.after > 0) down.down();
      expect(down.geometry.count).toBe(down.offset + down.extent.here);
      const up = new Reader(lines, lines - PAGE);
      while (up.extent.before > 0) up.up();
      expect(up.offset).toBe(0);
      for (const { moves } of [down, up]) {
        // At one page of some dozens: then the rows are placed anew.
        expect(moves.filter((pixels) => pixels !== 0).length).toBeLessThan(moves.length / 20);
      }
    }
  });

  it('are never more than a browser can scroll, nor more than there are lines', () => {
    for (const lines of [12_000, 17_000, 60_000]) {
      const reader = new Reader(lines, 0);
      const look = () => {
        const { offset, extent, geometry } = reader;
        expect(geometry.count).toBeLessThanOrEqual(ROWS_MAX * 1.25);
        expect(offset).toBeLessThanOrEqual(extent.before);
        expect(offset === 0).toBe(extent.before === 0);
        expect(geometry.count - offset - extent.here === 0).toBe(extent.after === 0);
      };
      for (; reader.extent.after > 0; reader.down()) look();
      for (; reader.extent.before > 0; reader.up()) look();
      look();
    }
  });

  it('mean every place of the log, from its first line to its last ones', () => {
    const reader = new Reader(100_000, 50_000);
    for (let page = 0; page < 100; page++) reader.up();
    const { geometry } = reader;
    expect(geometry.lineAt(0)).toBe(0);
    expect(geometry.lineAt(geometry.count - 1)).toBeGreaterThan(100_000 - 25);
    const lines = Array.from({ length: geometry.count }, (_, row) => geometry.lineAt(row));
    const steps = lines.slice(1).map((line, at) => line - (lines[at] as number));
    expect(Math.min(...steps)).toBe(1);
    expect(Math.max(...steps)).toBeLessThan(25);
  });

  it('are where a jump went to, wherever the rows had come to', () => {
    const reader = new Reader(100_000, 100_000 - PAGE);
    while (reader.extent.before > 60_000) reader.up();
    for (const share of [0.02, 0.3, 0.8, 0.97]) {
      const { geometry } = reader;
      const row = Math.floor(geometry.count * share);
      const line = geometry.lineAt(row);
      const there = new Reader(100_000, line - 20, row - 20);
      expect(there.offset).toBe(row - 20);
      expect(there.geometry.lineAt(row)).toBe(line);
    }
  });

  it('follow the numbers where what was guessed turns out to be wrong', () => {
    // First one line was known to be before, then it was counted.
    const counted = { before: 99_960, here: 40, after: 0 };
    expect(rowsBefore(counted, 1, ROWS_MAX)).toBe(9_996);
    // The beginning came sooner than was guessed.
    expect(rowsBefore({ before: 0, here: 600, after: 99_400 }, 300, ROWS_MAX)).toBe(0);
  });

  it('are found by pixels and have their pixels, wrapped or not', () => {
    const extent = { before: 20_000, here: 3, after: 30_000 };
    const heights = Float64Array.of(ROW, 3 * ROW, 2 * ROW);
    const geometry = new Geometry(extent, 4_000, ROWS_MAX, heights);
    const tops = [3_999, 4_000, 4_001, 4_002, 4_003, 4_004].map((row) => geometry.topOf(row) / ROW);
    expect(tops).toEqual([3_999, 4_000, 4_001, 4_004, 4_006, 4_007]);
    for (let row = 3_990; row < 4_010; row++) {
      expect(geometry.rowAt(geometry.topOf(row))).toBe(row);
      expect(geometry.rowAt(geometry.topOf(row + 1) - 1)).toBe(row);
    }
    expect(geometry.height).toBe((geometry.count + 3) * ROW);
  });
});
