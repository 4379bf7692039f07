/** The log: millions of lines, opened where one wants to look, followed while one does. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useParam } from '../address/address.ts';
import { useKeys } from '../frame/keyboard.tsx';
import type { EventFilter, LogLineFragment } from '../gen/graphql.ts';
import { useCell } from '../parts/cell.ts';
import { useNow } from '../parts/clock.ts';
import { printing } from '../parts/printing.ts';
import type { Line } from './line.ts';
import './log.css';
import { LogBar } from './log-bar.tsx';
import { copyClean } from './log-copy.ts';
import { useLogFilter } from './log-filter.ts';
import { LogLineRow } from './log-line.tsx';
import { type Selection, select, selectedRange, useSelection } from './log-selection.ts';
import { LogSource } from './log-source.ts';
import type { LogState } from './log-state.ts';
import { nextTimeMode, nowFor, timeMode } from './log-time.ts';
import { lineWrap, toggleWrap } from './log-wrap.ts';
import { LongLine } from './long-line.tsx';
import { searchedWords } from './search-words.ts';
import { useLogScroll } from './use-log-scroll.ts';
import { useMatches } from './use-matches.ts';
import { counted } from '../parts/count.ts';

export interface LogViewProps {
  /** The log, before level and step are chosen. */
  filter: EventFilter;
  /** Where it opens when the address names no line: a cursor, or the end. */
  opensAt: string | null;
  /** Show the host beside each line. */
  withHost: boolean;
  /** Steps to choose from. */
  steps?: readonly string[];
  stepBegan?: (event: LogLineFragment) => number | null;
}

const notKnown = (): null => null;

export function LogView(props: LogViewProps) {
  const { opensAt, withHost, steps = [], stepBegan = notKnown } = props;
  const { filter, narrowed } = useLogFilter(props.filter);
  const key = JSON.stringify(filter);
  const scroller = useRef<HTMLDivElement>(null);
  const named = useSelection();
  /** The first line of a selection that is not in this log. */
  const [lost, setLost] = useState<string | null>(null);
  const selection = named?.from === lost ? null : named;
  const [marked, setMarked] = useState(opensAt);
  const shown = selection?.from ?? marked;
  const [follow, setFollow] = useState(shown === null);
  const [state, setState] = useState<LogState | null>(null);
  const source = useMemo(() => new LogSource(JSON.parse(key) as EventFilter, setState), [key]);
  source.isRead = !follow;
  const [search = ''] = useParam('q');
  const words = useMemo(() => searchedWords(search), [search]);
  const mode = useCell(timeMode);
  const wrapped = useCell(lineWrap) === 'wrap';
  const now = useNow();
  const onPaper = useCell(printing);
  const lines = state?.lines ?? [];
  const here = marked === null ? null : { from: marked, to: marked };
  const range = selectedRange(lines, selection ?? here);
  const selected = range[1] > range[0] ? range[0] : null;
  const scroll = useLogScroll({ scroller, source, state, follow, setFollow, wrapped, selected });

  const show = (cursor: string): void => {
    setFollow(false);
    setMarked(cursor);
    void scroll.toCursor(cursor);
  };
  const matches = useMatches(filter, search, selection?.from ?? null, (cursor) => {
    select({ from: cursor, to: cursor });
    show(cursor);
  });

  // Opens once for each log, whatever the address says later.
  useEffect(() => {
    if (selection === null) void openUnnamed();
    else void openAt(selection);
    return () => source.close();
  }, [source]);

  async function openUnnamed(): Promise<void> {
    if (marked === null) await source.toEnd();
    else await scroll.toCursor(marked);
  }
  async function openAt({ from, to }: Selection): Promise<void> {
    const here = await scroll.toCursor(from);
    if (here === null) {
      if (source.state.error !== null) return;
      setLost(from);
      if (source.state.lines.length > 0) return;
      setFollow(marked === null);
      await openUnnamed();
    } else if (here !== from) {
      // From here on the line goes by the name that it has in the log.
      select({ from: here, to: to === from ? here : to });
    }
  }
  const toEnd = (): void => {
    setFollow(true);
    if (state?.atEnd !== true) void source.toEnd();
  };
  const toggleFollow = (): void => (follow ? setFollow(false) : toEnd());
  useKeys({ f: toggleFollow, w: toggleWrap, t: nextTimeMode });

  async function choose(line: Line, extend: boolean): Promise<void> {
    setFollow(false);
    const cursor = await source.cursorOf(line);
    if (cursor === null) return;
    const at = source.state.lines.findIndex((one) => one.cursor === cursor);
    if (!extend || shown === null) select({ from: cursor, to: cursor });
    else {
      const other = source.state.lines.findIndex((one) => one.cursor === shown);
      const before = other >= 0 ? other <= at : true;
      select(before ? { from: shown, to: cursor } : { from: cursor, to: shown });
    }
  }
  function step(by: 1 | -1, extend: boolean): void {
    const at = range[0] === range[1] ? scroll.firstLine() : by === 1 ? range[1] : range[0] - 1;
    const line = lines[at];
    if (line === undefined) return;
    void choose(line, extend).then(() => scroll.into(at));
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    switch (event.key) {
      case 'End':
        toEnd();
        break;
      case 'Home':
        setFollow(false);
        scroll.toStart();
        break;
      case 'j':
      case 'J':
        step(1, event.shiftKey);
        break;
      case 'k':
      case 'K':
        step(-1, event.shiftKey);
        break;
      case 'n':
      case 'N':
        // Elsewhere, and where nothing is searched, they go from failed host to failed host.
        if (matches.found === null) return;
        void matches.move(event.key === 'n' ? 1 : -1);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const onClick = (event: MouseEvent): void => {
    // Whoever selects text does not mean the line.
    if (getSelection()?.isCollapsed === false && !event.shiftKey) return;
    const row = (event.target as Element).closest<HTMLElement>('[data-line]');
    const line = lines.find((one) => one.event.id === row?.dataset.line);
    if (line === undefined) return;
    if (event.shiftKey) getSelection()?.removeAllRanges();
    void choose(line, event.shiftKey);
  };

  const second = nowFor(mode, now);
  const look = useMemo(
    () => ({ withHost, wrapped, mode, now: second, stepBegan, marked: words }),
    [withHost, wrapped, mode, second, stepBegan, words],
  );
  const single = range[1] - range[0] === 1 ? lines[range[0]] : undefined;
  return (
    <div class="log">
      <LogBar
        filter={filter}
        narrowed={narrowed}
        steps={steps}
        state={state}
        following={follow}
        onFollow={toggleFollow}
        matches={matches}
        name={[filter.taskId, ...(filter.hosts ?? [])].join('-')}
      />
      {state?.error != null && (
        <p role="alert" class="problem">
          {state.error.message}{' '}
          <button type="button" onClick={() => void source.retry()}>
            Try again
          </button>
        </p>
      )}
      {named !== null && named.from === lost && (
        <p role="status" class="none">
          The line that the address names is not {narrowed ? 'among these' : 'in this log'}.
        </p>
      )}
      <div
        role="log"
        aria-label="Log"
        aria-live="off"
        aria-busy={state === null || state.loading}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        tabIndex={0}
        class={wrapped ? 'log-lines log-wrapped' : 'log-lines'}
        ref={scroller}
        onScroll={scroll.onScroll}
        onKeyDown={onKey}
        onClick={onClick}
        onCopy={(event) => copyClean(event, lines, lines.slice(...range))}
      >
        <div class="log-body" style={onPaper ? {} : { height: `${scroll.geometry.height}px` }}>
          <div class="log-seen" style={onPaper ? {} : { transform: `translateY(${scroll.top}px)` }}>
            {scroll.rows.map((row) => {
              const at = row - scroll.geometry.offset;
              const line = lines[at] ?? null;
              return (
                <LogLineRow
                  key={line?.event.id ?? `empty ${row}`}
                  line={line}
                  look={look}
                  selected={line !== null && at >= range[0] && at < range[1]}
                />
              );
            })}
          </div>
        </div>
        {state !== null && !state.loading && state.error === null && lines.length === 0 && (
          <p class="none">{narrowed ? 'No line is like this.' : 'Nothing was logged yet.'}</p>
        )}
      </div>
      {state !== null && scroll.rows.length < state.total && (
        <p class="on-paper">
          What was in sight of {counted(state.total, 'line')}; Download has all of them.
        </p>
      )}
      {single !== undefined && (
        <LongLine
          key={single.event.id}
          line={single}
          scroller={scroller}
          wrapped={wrapped}
          onShown={() => scroll.into(range[0])}
        />
      )}
    </div>
  );
}
