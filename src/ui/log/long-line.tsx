/** All of a selected line that does not fit into its row. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import type { Line } from './line.ts';
import { textOf } from './line-text.ts';
import { SHOWN_MAX } from './log-line.tsx';
import { plainText } from './text.ts';

interface LongLineProps {
  line: Line;
  /** Where its row is, if it is drawn. */
  scroller: RefObject<HTMLElement | null>;
  wrapped: boolean;
  /** It takes its room from the log. */
  onShown: () => void;
}

export function LongLine({ line, scroller, wrapped, onShown }: LongLineProps) {
  const text = textOf(line.event);
  const isCut = useCut(scroller);
  const isShown = text.length > SHOWN_MAX || (!wrapped && (isCut || text.includes('\n')));
  useLayoutEffect(() => {
    if (isShown) onShown();
  }, [isShown]);
  if (!isShown) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <pre class="long-line" tabIndex={0} aria-label="The selected line in full" role="region">
      {plainText(text)}
    </pre>
  );
}

/** Whether the row of the selected line is wider than what can be seen; as it was where it is not drawn. */
function useCut(scroller: RefObject<HTMLElement | null>): boolean {
  const [isCut, setCut] = useState(false);
  useLayoutEffect(() => {
    const text = scroller.current?.querySelector<HTMLElement>('[aria-current] .log-text');
    if (text == null) return;
    setCut(text.offsetLeft + text.offsetWidth > (scroller.current?.clientWidth ?? 0));
  });
  return isCut;
}
