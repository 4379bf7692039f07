/** The log: millions of lines, opened where one wants to look, followed while one does. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { setParams, useParam } from '../address/address.ts';
import type { EventFilter } from '../gen/graphql.ts';
import { useVirtual } from '../parts/virtual.ts';
import './log.css';
import { LogLineRow } from './log-line.tsx';
import { LogSearch } from './log-search.tsx';
import { type Line, LogSource, type LogState } from './log-source.ts';
import { plainText } from './text.ts';

const ROW = 20;
/** Rows near an end of what is here at which more is asked for. */
const NEAR = 60;
/** What a browser can scroll, in rows; longer logs are scrolled in larger steps. */
const ROWS_MAX = 600_000;

export interface LogViewProps {
  filter: EventFilter;
  /** Where it opens when the address names no line: a cursor, or the end. */
  opensAt: string | null;
  /** Show the host beside each line. */
  withHost: boolean;
}

export function LogView({ filter, opensAt, withHost }: LogViewProps) {
  const key = JSON.stringify(filter);
  const [selected] = useParam('line');
  const scroller = useRef<HTMLDivElement>(null);
  const [follow, setFollow] = useState(selected === undefined && opensAt === null);
  const [state, setState] = useState<LogState | null>(null);
  const [marked, setMarked] = useState<string | null>(selected ?? opensAt);
  /** Told to scroll to a line, and not there yet. */
  const moving = useRef(false);
  const source = useMemo(() => new LogSource(JSON.parse(key) as EventFilter, setState), [key]);
  const lines = state?.lines ?? [];
  const scale = Math.max(1, (state?.total ?? 0) / ROWS_MAX);
  const offset = Math.round((state?.before ?? 0) / scale);
  const count = Math.max(offset + lines.length, Math.round((state?.total ?? 0) / scale));
  const { rows, height, scrollTo } = useVirtual(scroller, count, ROW);

  const show = async (cursor: string): Promise<void> => {
    setFollow(false);
    setMarked(cursor);
    moving.current = true;
    const at = await source.toCursor(cursor);
    const { before, total } = source.state;
    const first = Math.round(before / Math.max(1, total / ROWS_MAX));
    requestAnimationFrame(() => {
      scrollTo(first + Math.max(0, at));
      requestAnimationFrame(() => {
        moving.current = false;
      });
    });
  };

  // Opens once for each log, whatever the address says later.
  useEffect(() => {
    const at = selected ?? opensAt;
    if (at === null) void source.toEnd();
    else void show(at);
    return () => source.close();
  }, [source]);

  useEffect(() => {
    if (follow && state?.atEnd) scrollTo(count - 1);
  });

  const firstSeen = rows[0]?.index ?? 0;
  const lastSeen = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (state === null || state.loading) return;
    const [start, end] = [offset, offset + lines.length];
    if (lastSeen < start - NEAR * 4 || firstSeen > end + NEAR * 4) {
      // Not yet where it was told to scroll.
      if (follow || moving.current) return;
      const timer = setTimeout(() => void source.toShare(firstSeen / Math.max(1, count)), 60);
      return () => clearTimeout(timer);
    }
    if (firstSeen < start + NEAR) void source.older();
    if (lastSeen > end - NEAR) void source.newer();
    return;
  }, [state, firstSeen, lastSeen]);

  const onScroll = (): void => {
    const box = scroller.current;
    if (box === null) return;
    const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - ROW;
    if (atEnd !== follow && state?.atEnd !== false) setFollow(atEnd);
    else if (!atEnd && follow) setFollow(false);
  };
  const toEnd = (): void => {
    setFollow(true);
    if (state?.atEnd !== true) void source.toEnd();
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'End') toEnd();
    else if (event.key === 'Home') {
      setFollow(false);
      void source.toStart().then(() => scrollTo(0));
    } else return;
    event.preventDefault();
  };
  const select = async (line: Line): Promise<void> => {
    const cursor = await source.cursorOf(line);
    if (cursor === null) return;
    setMarked(cursor);
    setFollow(false);
    setParams({ line: cursor }, { replace: true });
  };

  return (
    <div class="log">
      <div class="log-bar">
        <button
          type="button"
          aria-pressed={follow}
          onClick={() => (follow ? setFollow(false) : toEnd())}
        >
          Follow
        </button>
        <span class="log-state">
          {follow ? 'following' : 'paused'}
          {!follow &&
            (state?.unseen ?? 0) > 0 &&
            ` · ${state?.unseen.toLocaleString('en')} new lines`}
        </span>
        <LogSearch filter={filter} onHit={(cursor) => void show(cursor)} />
        <span class="log-total">{(state?.total ?? 0).toLocaleString('en')} lines</span>
      </div>
      {state?.error != null && (
        <p role="alert" class="problem">
          {state.error.message}
        </p>
      )}
      <div
        role="log"
        aria-label="Log"
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        tabIndex={0}
        class="log-lines"
        ref={scroller}
        onScroll={onScroll}
        onKeyDown={onKey}
        onCopy={(event) => copyClean(event, lines)}
      >
        <div class="log-body" style={{ height: `${height}px` }}>
          {rows.map(({ index, start }) => {
            const line = lines[index - offset];
            return (
              <LogLineRow
                key={line?.event.id ?? `empty ${index}`}
                line={line ?? null}
                top={start}
                withHost={withHost}
                selected={line !== undefined && line.cursor !== null && line.cursor === marked}
                onSelect={select}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Selected lines are copied as their text, without times and colours. */
function copyClean(event: ClipboardEvent, lines: readonly Line[]): void {
  const selection = getSelection();
  if (selection === null || selection.isCollapsed || event.clipboardData === null) return;
  const ids = new Set(
    [...document.querySelectorAll<HTMLElement>('[data-line]')]
      .filter((row) => selection.containsNode(row, true))
      .map((row) => row.dataset.line),
  );
  if (ids.size < 2) return;
  const text = lines
    .filter(({ event: { id } }) => ids.has(id))
    .map(({ event: { message } }) => plainText(message ?? ''));
  event.clipboardData.setData('text/plain', text.join('\n'));
  event.preventDefault();
}
