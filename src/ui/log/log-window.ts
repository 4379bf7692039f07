/** How much of a log is kept in the page; what is far from where one looks is asked for again. */
import type { Line } from './line.ts';

const LINES = 6_000;
/** Of all lines together: a single one may have 65,536. */
const CHARACTERS = 4_000_000;
/** Lines that are kept however long they are: a page that comes, and as many beside it. */
const LEAST = 800;

/** So many of these lines are kept, counted from the first one; `atEnd`: from the last one. */
export function linesKept(lines: readonly Line[], atEnd: boolean): number {
  const most = Math.min(lines.length, LINES);
  let characters = 0;
  for (let kept = 0; kept < most; kept++) {
    const { event } = lines[atEnd ? lines.length - 1 - kept : kept] as Line;
    characters += (event.message?.length ?? 0) + (event.error?.message.length ?? 0);
    if (kept >= LEAST && characters > CHARACTERS) return kept;
  }
  return most;
}
