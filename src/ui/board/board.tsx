/** The board: hosts × steps, hosts that look the same folded into one row, failures first. */
import { useMemo, useRef, useState } from 'preact/hooks';
import { addressOf } from '../address/address.ts';
import { glyphOf, statusWord } from '../parts/status.tsx';
import { useVirtual } from '../parts/virtual.ts';
import './board.css';
import {
  type BoardModel,
  FILTERS,
  type Filter,
  type HostGroup,
  isSilent,
  statusOf,
} from './board-model.ts';

const ROW = 24;
/** Hosts that are named in the row of their group. */
const NAMED = 8;

type Line = { group: HostGroup; host: string | null };

export function Board({ id, model, version }: { id: string; model: BoardModel; version: number }) {
  const [filter, setFilter] = useState<Filter>('all');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const groups = useMemo(() => model.groups(filter), [model, version, filter]);
  const lines: Line[] = [];
  for (const group of groups) {
    lines.push({ group, host: null });
    if (open.has(group.pattern)) for (const host of group.hosts) lines.push({ group, host });
  }
  const toggle = (pattern: string): void => {
    const next = new Set(open);
    if (!next.delete(pattern)) next.add(pattern);
    setOpen(next);
  };
  return (
    <section aria-label="Board">
      <h2>Board</h2>
      <p class="board-filters">
        {FILTERS.map((one) => (
          <button
            type="button"
            key={one}
            aria-pressed={one === filter}
            onClick={() => setFilter(one)}
          >
            {one} {model.count(one).toLocaleString('en')}
          </button>
        ))}
      </p>
      <Rows id={id} steps={model.steps} lines={lines} open={open} onToggle={toggle} />
    </section>
  );
}

interface RowsProps {
  id: string;
  steps: readonly string[];
  lines: readonly Line[];
  open: ReadonlySet<string>;
  onToggle: (pattern: string) => void;
}

function Rows({ id, steps, lines, open, onToggle }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { rows, height } = useVirtual(scroller, lines.length, ROW);
  return (
    <div
      role="grid"
      aria-label="Hosts by step"
      aria-rowcount={lines.length + 1}
      aria-colcount={steps.length + 1}
      class="board"
      ref={scroller}
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
      <div role="presentation" class="board-body" style={{ height: `${height}px` }}>
        {rows.map(({ index, start }) => {
          const line = lines[index];
          return line === undefined ? null : (
            <div
              role="row"
              aria-rowindex={index + 2}
              key={`${line.group.pattern} ${line.host ?? ''}`}
              class={line.host === null ? 'board-row' : 'board-row board-host'}
              style={{ transform: `translateY(${start}px)` }}
            >
              {[...line.group.pattern].map((letter, step) => (
                <Cell key={steps[step]} letter={letter} />
              ))}
              <span role="gridcell" class="board-hosts">
                {line.host === null ? (
                  <GroupName id={id} group={line.group} open={open} onToggle={onToggle} />
                ) : (
                  <HostLink id={id} host={line.host} />
                )}
              </span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Cell({ letter }: { letter: string }) {
  const status = statusOf(letter);
  if (status === null) return <span role="gridcell" aria-label="not part of it" />;
  const word = statusWord(status) + (isSilent(letter) ? ', silent' : '');
  return (
    <span
      role="gridcell"
      aria-label={word}
      title={word}
      class={`cell status-${status.toLowerCase().replaceAll('_', '-')}${isSilent(letter) ? ' cell-silent' : ''}`}
    >
      {glyphOf(status)}
    </span>
  );
}

interface GroupNameProps {
  id: string;
  group: HostGroup;
  open: ReadonlySet<string>;
  onToggle: (pattern: string) => void;
}

function GroupName({ id, group, open, onToggle }: GroupNameProps) {
  const { hosts, pattern } = group;
  const [only] = hosts;
  if (hosts.length === 1 && only !== undefined) return <HostLink id={id} host={only} />;
  const isOpen = open.has(pattern);
  return (
    <>
      <button type="button" aria-expanded={isOpen} onClick={() => onToggle(pattern)}>
        {isOpen ? '▾' : '▸'} {hosts.length.toLocaleString('en')} hosts
      </button>{' '}
      <span class="board-names">
        {hosts.slice(0, NAMED).join(' ')}
        {hosts.length > NAMED && ' …'}
      </span>
    </>
  );
}

export function HostLink({ id, host }: { id: string; host: string }) {
  return <a href={addressOf(['tasks', id], { host })}>{host}</a>;
}
