/** A grid has one cell that Tab reaches; from there the arrow keys lead to all others. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface GridKeys {
  /** -1 for all but one. */
  tabIndexOf(row: number, column: number): 0 | -1;
  onKeyDown(event: KeyboardEvent): void;
  /** A cell that got the focus otherwise is where one goes on. */
  onFocus(row: number, column: number): void;
}

export function useGridKeys(
  grid: RefObject<HTMLElement | null>,
  /** Names each row, wherever it stands. */
  rows: readonly string[],
  columns: number,
  scrollTo: (row: number) => void,
): GridKeys {
  const [active, setActive] = useState({ name: rows[0], row: 0, column: columns - 1 });
  const moving = useRef(false);
  // It is followed to where it stands now; one that has gone leaves the cell to what took its place.
  const stands = rows[active.row] === active.name ? active.row : rows.indexOf(active.name ?? '');
  const row = stands >= 0 ? stands : Math.min(active.row, Math.max(0, rows.length - 1));
  const column = Math.min(active.column, Math.max(0, columns - 1));
  // A row that is drawn elsewhere, or no more, loses the focus; asked before that is so.
  const focused = grid.current?.contains(document.activeElement) === true;
  useLayoutEffect(() => {
    const cell = grid.current?.querySelector<HTMLElement>('[data-cell][tabindex="0"]');
    if (moving.current && cell != null) {
      moving.current = false;
      cell.focus({ preventScroll: true });
      cell.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else if (focused && document.activeElement === document.body) {
      // Nobody is scrolled back to a cell that is out of sight; the arrow keys still go on from it.
      (cell ?? grid.current)?.focus({ preventScroll: true });
    }
  });
  return {
    tabIndexOf: (atRow, atColumn) => (atRow === row && atColumn === column ? 0 : -1),
    onFocus(atRow, atColumn) {
      const name = rows[atRow];
      if (name === active.name && atRow === active.row && atColumn === column) return;
      setActive({ name, row: atRow, column: atColumn });
    },
    onKeyDown(event) {
      const next = target(event, row, column, rows.length - 1, columns - 1);
      if (next === null || event.altKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      moving.current = true;
      if (next.row !== row) scrollTo(next.row);
      setActive({ name: rows[next.row], ...next });
    },
  };
}

const PAGE = 12;

function target(
  { key, ctrlKey }: KeyboardEvent,
  row: number,
  column: number,
  lastRow: number,
  lastColumn: number,
): { row: number; column: number } | null {
  switch (key) {
    case 'ArrowDown':
      return { row: Math.min(lastRow, row + 1), column };
    case 'ArrowUp':
      return { row: Math.max(0, row - 1), column };
    case 'ArrowRight':
      return { row, column: Math.min(lastColumn, column + 1) };
    case 'ArrowLeft':
      return { row, column: Math.max(0, column - 1) };
    case 'PageDown':
      return { row: Math.min(lastRow, row + PAGE), column };
    case 'PageUp':
      return { row: Math.max(0, row - PAGE), column };
    case 'Home':
      return { row: ctrlKey ? 0 : row, column: 0 };
    case 'End':
      return { row: ctrlKey ? lastRow : row, column: lastColumn };
    default:
      return null;
  }
}
