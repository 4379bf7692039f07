import type { Line } from './line.ts';
import { textOf } from './line-text.ts';
import { plainText } from './text.ts';

/**
 * Lines are copied as their text, all of it, without times and colours: those over which text is selected,
 * else those that are `chosen`.
 */
export function copyClean(
  event: ClipboardEvent,
  lines: readonly Line[],
  chosen: readonly Line[],
): void {
  const selection = getSelection();
  if (selection === null || event.clipboardData === null) return;
  if (selection.isCollapsed) {
    if (chosen.length > 0) put(event, chosen);
    return;
  }
  const box = event.currentTarget as HTMLElement;
  const ids = new Set(
    [...box.querySelectorAll<HTMLElement>('[data-line]')]
      .filter((row) => selection.containsNode(row, true))
      .map((row) => row.dataset.line),
  );
  // Within one line the browser knows best what was selected of it.
  if (ids.size < 2) return;
  const over = lines.filter(({ event: { id } }) => ids.has(id));
  put(event, over);
}

function put(event: ClipboardEvent, lines: readonly Line[]): void {
  const text = lines.map((line) => plainText(textOf(line.event))).join('\n');
  event.clipboardData?.setData('text/plain', text);
  event.preventDefault();
}
