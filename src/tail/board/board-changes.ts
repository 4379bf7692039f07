/** Which rows of a board changed, in order of version: each once, where it changed last. */
import type { BoardRow } from './board-row.ts';

interface Change {
  row: BoardRow;
  version: number;
}

export class BoardChanges {
  /** A row that changed again is here twice, and only its last change counts. */
  #changes: Change[] = [];

  /** `rows`: how many there are. */
  add(row: BoardRow, rows: number): void {
    this.#changes.push({ row, version: row.version });

    if (this.#changes.length > 2 * (rows + 1)) {
      this.#changes = this.#changes.filter(isLast);
    }
  }

  /** The rows that changed behind a version, at most `limit`, and the version that this reaches. */
  behind(version: number, limit: number): { rows: BoardRow[]; through: number; more: boolean } {
    const rows: BoardRow[] = [];
    let through = version;
    for (let i = this.#firstBehind(version); i < this.#changes.length; i++) {
      const change = this.#changes[i] as Change;
      if (!isLast(change)) continue;
      if (rows.length === limit) return { rows, through, more: true };
      rows.push(change.row);
      through = change.version;
    }
    return { rows, through, more: false };
  }

  #firstBehind(version: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle] as Change).version > version) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function isLast({ row, version }: Change): boolean {
  return row.version === version;
}
