/** How the window grows at its ends, and what it lets go at the other one where it would be too much. */
import { type Line, type LogPage, linesOf } from './line.ts';
import type { LogState } from './log-state.ts';
import { linesKept } from './log-window.ts';

/** By the page before it. */
export function withOlder(
  { lines, before, total, first, atEnd }: LogState,
  page: LogPage,
): Partial<LogState> {
  const more = linesOf(page);
  const all = [...more, ...lines];
  const kept = all.slice(0, linesKept(all, false));
  const atStart = !page.pageInfo.hasPreviousPage;
  const left = atStart ? 0 : Math.max(1, before - more.length);
  return {
    lines: kept,
    before: left,
    // What was estimated wrongly before is so for all of them.
    total: total + left - (before - more.length),
    first: first - more.length,
    atStart,
    atEnd: atEnd && kept.length === all.length,
  };
}

/** By the page behind it. */
export function withNewer(
  { lines, before, total, first, atStart }: LogState,
  page: LogPage,
): Partial<LogState> {
  const more = linesOf(page);
  const all = [...lines, ...more];
  const dropped = all.length - linesKept(all, true);
  const kept = all.slice(dropped);
  const atEnd = !page.pageInfo.hasNextPage;
  const shown = before + dropped + kept.length;
  return {
    lines: kept,
    before: before + dropped,
    total: atEnd ? shown : Math.max(total, shown + 1),
    first: first + dropped,
    atStart: atStart && dropped === 0,
    atEnd,
    ...(atEnd && { unseen: 0 }),
  };
}

/** By lines that came while it stands at the end; where it is read, a full one takes no more of them. */
export function withLive(
  { lines, before, first, atStart, unseen }: LogState,
  more: readonly Line[],
  isRead: boolean,
): Partial<LogState> {
  const all = [...lines, ...more];
  const end = isRead ? Math.max(lines.length, linesKept(all, false)) : all.length;
  const dropped = isRead ? 0 : all.length - linesKept(all, true);
  const kept = all.slice(dropped, end);
  const left = all.length - end;
  return {
    lines: kept,
    before: before + dropped,
    total: before + dropped + kept.length + left,
    first: first + dropped,
    atStart: atStart && dropped === 0,
    ...(left > 0 && { atEnd: false, unseen: unseen + left }),
  };
}
