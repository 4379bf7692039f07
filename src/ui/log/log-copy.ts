import type { Line } from './line.ts';
import { textOf } from './line-text.ts';
import { plainText } from './text.ts';

/** Selected lines are copied as their text, all of it, without times and colours. */
export function copyClean(event: ClipboardEvent, lines: readonly Line[]): void {
  const selection = getSelection();
  if (selection === null || selection.isCollapsed || event.clipboardData === null) return;
  const box = event.currentTarget as HTMLElement;
  const ids = new Set(
    [...box.querySelectorAll<HTMLElement>('[data-line]')]
      .filter((row) => selection.containsNode(row, true))
      .map((row) => row.dataset.line),
  );
  // Within one line the browser knows best what was selected of it.
  if (ids.size < 2) return;
  const text = lines
    .filter(({ event: { id } }) => ids.has(id))
    .map((line) => plainText(textOf(line.event)));
  event.clipboardData.setData('text/plain', text.join('\n'));
  event.preventDefault();
}
