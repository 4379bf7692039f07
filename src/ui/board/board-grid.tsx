/** The rows of the board, of which only those are drawn that can be seen. */
import { useRef } from 'preact/hooks';
import { go } from '../address/address.ts';
import { useCell } from '../parts/cell.ts';
import { useNow } from '../parts/clock.ts';
import { printing } from '../parts/printing.ts';
import { glyphOf, statusWord } from '../parts/status.tsx';
import { duration } from '../parts/time.ts';
import { PRINTED_ROWS, useVirtual } from '../parts/virtual.ts';
import { hostAddress } from './board-filter.ts';
import { type HostGroup, isSilent, statusOf } from './board-model.ts';
import { useGridKeys } from './use-grid-keys.ts';
import { type HostNote, useHostNotes } from './use-host-notes.ts';
import { counted } from '../parts/count.ts';

export interface BoardLine {
  group: HostGroup;
  /** null: the line stands for all hosts of its group. */
  host: string | null;
  /** It is one of an open group. */
  inGroup: boolean;
}

/** A host stays the same row however its cells change. */
function nameOf({ host, group }: BoardLine): string {
  return host === null ? `all ${group.pattern}` : `one ${host}`;
}

const ROW = 24;
/** Hosts that are named in the row of their group. */
const NAMED = 8;

interface BoardGridProps {
  id: string;
  steps: readonly string[];
  lines: readonly BoardLine[];
  open: ReadonlySet<string>;
  onToggle: (pattern: string) => void;
}

export function BoardGrid({ id, steps, lines, open, onToggle }: BoardGridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { rows, height, scrollTo } = useVirtual(scroller, lines.length, ROW);
  const onPaper = useCell(printing);
  const keys = useGridKeys(scroller, lines.map(nameOf), steps.length + 1, scrollTo);
  const drawn = rows.map(({ index, start }) => ({ index, start, line: lines[index] as BoardLine }));
  const notes = useHostNotes(
    id,
    drawn.flatMap(({ line: { host, group } }) =>
      host === null ? [] : [{ host, pattern: group.pattern }],
    ),
  );
  const activate = ({ host, group }: BoardLine, step: string | null): void => {
    if (host === null) onToggle(group.pattern);
    else go(hostAddress(id, host, step));
  };
  return (
    <div
      role="grid"
      aria-label="Hosts by step"
      aria-rowcount={lines.length + 1}
      aria-colcount={steps.length + 1}
      class="board"
      ref={scroller}
      tabIndex={-1}
      onKeyDown={keys.onKeyDown}
    >
      <div role="row" aria-rowindex={1} class="board-row board-head">
        {steps.map((step) => (
          <span role="columnheader" key={step} title={step}>
            {step}
          </span>
        ))}
        <span role="columnheader" class="board-hosts">
          Hosts
        </span>
      </div>
      <div role="presentation" class="board-body" style={onPaper ? {} : { height: `${height}px` }}>
        {drawn.map(({ index, start, line }) => (
          <div
            role="row"
            aria-rowindex={index + 2}
            key={nameOf(line)}
            class={line.inGroup ? 'board-row board-host' : 'board-row'}
            style={onPaper ? {} : { transform: `translateY(${start}px)` }}
          >
            {[...line.group.pattern].map((letter, at) => (
              <Cell
                key={steps[at]}
                letter={letter}
                tabIndex={keys.tabIndexOf(index, at)}
                onFocus={() => keys.onFocus(index, at)}
                onActivate={() => activate(line, steps[at] ?? null)}
              />
            ))}
            <span
              role="gridcell"
              class="board-hosts"
              onFocusIn={() => keys.onFocus(index, steps.length)}
            >
              {line.host === null ? (
                <GroupName
                  group={line.group}
                  isOpen={open.has(line.group.pattern)}
                  tabIndex={keys.tabIndexOf(index, steps.length)}
                  onToggle={onToggle}
                />
              ) : (
                <>
                  <a
                    href={hostAddress(id, line.host)}
                    data-cell
                    tabIndex={keys.tabIndexOf(index, steps.length)}
                  >
                    {line.host}
                  </a>
                  <Note note={notes.get(line.host)} />
                </>
              )}
            </span>
          </div>
        ))}
      </div>
      {lines.length > PRINTED_ROWS && (
        <p class="on-paper">
          … and {counted(lines.length - PRINTED_ROWS, 'row')} more, in the console.
        </p>
      )}
    </div>
  );
}

interface CellProps {
  letter: string;
  tabIndex: 0 | -1;
  onFocus: () => void;
  onActivate: () => void;
}

function Cell({ letter, tabIndex, onFocus, onActivate }: CellProps) {
  const status = statusOf(letter);
  const silent = isSilent(letter);
  const word = status === null ? 'not part of it' : statusWord(status) + (silent ? ', silent' : '');
  const look = status === null ? '' : ` status-${status.toLowerCase().replaceAll('_', '-')}`;
  return (
    <span
      role="gridcell"
      aria-label={word}
      title={word}
      data-cell
      tabIndex={tabIndex}
      class={`cell${look}${silent ? ' cell-silent' : ''}`}
      onFocus={onFocus}
      onClick={onActivate}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        onActivate();
      }}
    >
      {status === null ? '' : glyphOf(status)}
    </span>
  );
}

interface GroupNameProps {
  group: HostGroup;
  isOpen: boolean;
  tabIndex: 0 | -1;
  onToggle: (pattern: string) => void;
}

function GroupName({ group: { hosts, pattern }, isOpen, tabIndex, onToggle }: GroupNameProps) {
  return (
    <>
      <button
        type="button"
        aria-expanded={isOpen}
        data-cell
        tabIndex={tabIndex}
        onClick={() => onToggle(pattern)}
      >
        <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {counted(hosts.length, 'host')}
      </button>{' '}
      <span class="board-names">
        {hosts.slice(0, NAMED).join(' ')}
        {hosts.length > NAMED && ' …'}
      </span>
    </>
  );
}

function Note({ note }: { note: HostNote | undefined }) {
  const now = useNow();
  if (note === undefined) return null;
  const { durationMs, outSince, reason } = note;
  return (
    <span class="board-note">
      {durationMs !== null && <span>{duration(durationMs)}</span>}
      {outSince !== null && (
        <span class="out">out of rotation {duration(Math.max(0, now - Date.parse(outSince)))}</span>
      )}
      {reason !== null && <span class="board-reason">{reason}</span>}
    </span>
  );
}
