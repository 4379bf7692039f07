/** A chart's place in a view: what draws it is fetched when it is first seen. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Plot, PlotData } from './plot.ts';
import './chart.css';

interface PlotBoxProps extends PlotData {
  height: number;
  /** Called with the two ends of a stretch that was dragged over, epoch milliseconds. */
  onBrush?: (fromMs: number, toMs: number) => void;
  /** What stands at a place of the data, for whoever points at it. */
  describe?: (index: number) => string;
}

/** Decoration to a screen reader: the view says the same in a table. */
export function PlotBox({ height, onBrush, describe, ...data }: PlotBoxProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const [failed, setFailed] = useState(false);
  const pointed = useRef<HTMLSpanElement>(null);
  const current = useRef({ data, onBrush, describe });
  current.current = { data, onBrush, describe };
  useEffect(() => {
    let left = false;
    const draw = async (): Promise<void> => {
      const { Plot } = await import('./plot.ts');
      if (left || box.current === null) return;
      const brush = (from: number, to: number): void => current.current.onBrush?.(from, to);
      const point = (index: number | null): void => {
        if (pointed.current === null) return;
        const { describe } = current.current;
        pointed.current.textContent = index === null ? '' : (describe?.(index) ?? '');
      };
      plot.current = new Plot(box.current, height, {
        onBrush: onBrush === undefined ? null : brush,
        onPoint: point,
      });
      plot.current.show(current.current.data);
    };
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      seen.disconnect();
      draw().catch(() => setFailed(true));
    });
    if (box.current !== null) seen.observe(box.current);
    return () => {
      left = true;
      seen.disconnect();
      plot.current?.close();
      plot.current = null;
    };
  }, []);
  const key = JSON.stringify(data);
  useEffect(() => plot.current?.show(current.current.data), [key]);
  if (failed) return <p class="hint">The chart could not be drawn; the table says the same.</p>;
  return (
    <div class="plot" ref={box} style={{ height: `${height}px` }} aria-hidden="true">
      <span class="plot-pointed" ref={pointed} />
    </div>
  );
}
