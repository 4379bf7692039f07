/** All of a selected line that is too long for its row. */
import type { Line } from './line.ts';
import { textOf } from './line-text.ts';
import { SHOWN_MAX } from './log-line.tsx';
import { plainText } from './text.ts';

export function LongLine({ line }: { line: Line }) {
  const text = textOf(line.event);
  if (text.length <= SHOWN_MAX) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <pre class="long-line" tabIndex={0} aria-label="The selected line in full" role="region">
      {plainText(text)}
    </pre>
  );
}
