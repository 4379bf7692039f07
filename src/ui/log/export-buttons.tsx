/** The whole log in a tab of its own, where the browser can search it, or as a file. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EventFilter } from '../gen/graphql.ts';
import { type ExportForm, exportLog } from './log-export.ts';
import { counted } from '../parts/count.ts';

interface Running {
  lines: number;
  problem: string | null;
}

export function ExportButtons({ filter, name }: { filter: EventFilter; name: string }) {
  const [running, setRunning] = useState<Running | null>(null);
  const leaving = useRef<AbortController | null>(null);
  useEffect(() => () => leaving.current?.abort(), []);

  async function begin(form: ExportForm, done: (address: string) => void): Promise<void> {
    leaving.current?.abort();
    const stop = new AbortController();
    leaving.current = stop;
    setRunning({ lines: 0, problem: null });
    try {
      const count = (lines: number): void => setRunning({ lines, problem: null });
      const blob = await exportLog(filter, form, count, stop.signal);
      done(URL.createObjectURL(blob));
      setRunning(null);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      setRunning(stop.signal.aborted ? null : { lines: 0, problem });
    }
  }
  const raw = (): void => {
    // Opened by the click itself: later a browser would take it for an advertisement.
    const tab = open('', '_blank');
    void begin('raw', (address) => tab?.location.replace(address));
  };
  const download = (): void => {
    void begin('full', (address) => {
      const link = document.createElement('a');
      link.href = address;
      link.download = `${name.replace(/[^\w.-]+/g, '-')}.log`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
    });
  };
  if (running !== null && running.problem === null) {
    return (
      <span class="log-export">
        {counted(running.lines, 'line')} read{' '}
        <button type="button" onClick={() => leaving.current?.abort()}>
          Stop
        </button>
      </span>
    );
  }
  return (
    <span class="log-export">
      <button type="button" onClick={raw} title="Texts alone, in a tab of their own">
        Raw
      </button>
      <button type="button" onClick={download} title="All lines with their times, as a file">
        Download
      </button>
      {running !== null && <span class="problem">{running.problem}</span>}
    </span>
  );
}
