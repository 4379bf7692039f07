/** The time now, for what shows how long something has taken: one timer for all. */
import { Cell, useCell } from './cell.ts';

const now = new Cell(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1_000);

export function useNow(): number {
  return useCell(now);
}
