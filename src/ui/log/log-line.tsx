/** One line of the log, as a terminal would show it. */
import { statusWord } from '../parts/status.tsx';
import type { Line } from './log-source.ts';
import { piecesOf } from './text.ts';

const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});
/** Longer lines are cut where they are shown; the copy has all. */
const SHOWN_MAX = 2_000;

interface LogLineRowProps {
  /** null: not here yet. */
  line: Line | null;
  top: number;
  withHost: boolean;
  selected: boolean;
  onSelect: (line: Line) => void;
}

export function LogLineRow({ line, top, withHost, selected, onSelect }: LogLineRowProps) {
  const style = { transform: `translateY(${top}px)` };
  if (line === null) return <div class="log-line log-empty" style={style} />;
  const { event } = line;
  const text = textOf(line);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: lines are reached by search and links too
    // biome-ignore lint/a11y/useKeyWithClickEvents: the same
    <div
      class={`log-line level-${event.level.toLowerCase()}${line.afterGap ? ' after-gap' : ''}`}
      style={style}
      data-line={event.id}
      aria-current={selected ? 'true' : undefined}
      onClick={() => onSelect(line)}
    >
      <time dateTime={event.at}>{CLOCK.format(new Date(event.at))}</time>
      {withHost && <span class="log-host">{event.hostName}</span>}
      <span class="log-step">{event.step}</span>
      <span class="log-level">{event.level}</span>
      <span class="log-text">
        {piecesOf(text).map((piece, at) => (
          <span key={at} class={piece.classes || undefined}>
            {piece.text}
          </span>
        ))}
      </span>
    </div>
  );
}

/** Beginnings and ends say so in words. */
function textOf({ event }: Line): string {
  const { status, message, error, exitCode } = event;
  const said = message ?? error?.message ?? '';
  const short = said.length > SHOWN_MAX ? `${said.slice(0, SHOWN_MAX)} …` : said;
  if (event.kind !== 'STEP' || status === null) return short;
  const code = exitCode === null || exitCode === 0 ? '' : ` (exit code ${exitCode})`;
  return `${event.step} ${statusWord(status).toLowerCase()}${code}${short === '' ? '' : `: ${short}`}`;
}
