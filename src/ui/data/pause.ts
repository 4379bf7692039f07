/** A view that stands still because somebody wants to read it, and how far behind it is meanwhile. */
import { useRef } from 'preact/hooks';
import { Cell, useCell } from '../parts/cell.ts';

export interface Paused {
  since: number;
  /** What came since and is not shown. */
  behind: number;
}

/** null: what is shown is live. */
export const paused = new Cell<Paused | null>(null);

export function pause(): void {
  paused.value ??= { since: Date.now(), behind: 0 };
}

export function resume(): void {
  paused.value = null;
}

export function fellBehind(changes: number): void {
  const { value } = paused;
  if (value !== null && changes > 0) paused.value = { ...value, behind: value.behind + changes };
}

/** The newest value; while paused that of then. A value that was not there yet is let in. */
export function useHeld<T>(newest: T): T {
  const standing = useCell(paused) !== null;
  const held = useRef(newest);
  if (!standing || held.current === null) held.current = newest;
  return held.current;
}
