/** One line of the log, as a terminal would show it. */
import { Component } from 'preact';
import type { LogLineFragment } from '../gen/graphql.ts';
import type { Line } from './line.ts';
import { textOf } from './line-text.ts';
import { type TimeMode, timeText } from './log-time.ts';
import { type Piece, piecesOf } from './text.ts';
import { counted } from '../parts/count.ts';

/** Longer lines are cut where they are shown; the copy, the download and the selected line have all. */
export const SHOWN_MAX = 2_000;

export interface LineLook {
  withHost: boolean;
  wrapped: boolean;
  mode: TimeMode;
  now: number;
  /** When the step of a line began; null: not known. */
  stepBegan: (event: LogLineFragment) => number | null;
  /** Words to mark; null: none. */
  marked: RegExp | null;
}

interface LogLineRowProps {
  /** null: not here yet. */
  line: Line | null;
  look: LineLook;
  selected: boolean;
}

/**
 * Drawn again only where something about it changed: most rows are the same from frame to frame. Elements
 * that are kept for that would keep all of the page as it was when they were made.
 */
export class LogLineRow extends Component<LogLineRowProps> {
  override shouldComponentUpdate(next: LogLineRowProps): boolean {
    const { line, look, selected } = this.props;
    return next.line !== line || next.look !== look || next.selected !== selected;
  }

  override render({ line, look, selected }: LogLineRowProps) {
    return line === null ? <div class="log-line log-empty" /> : lineRow(line, look, selected);
  }
}

function lineRow(line: Line, look: LineLook, selected: boolean) {
  const { event } = line;
  const text = textOf(event);
  const cut = text.length > SHOWN_MAX;
  const shown = cut ? text.slice(0, SHOWN_MAX) : text;
  return (
    <div
      class={`log-line level-${event.level.toLowerCase()}${line.afterGap ? ' after-gap' : ''}`}
      data-line={event.id}
      aria-current={selected ? 'true' : undefined}
    >
      <time dateTime={event.at} title={event.at}>
        {timeText(event.at, look.mode, look.now, look.stepBegan(event))}
      </time>
      {look.withHost && (
        <span class="log-host" title={event.hostName ?? undefined}>
          {event.hostName}
        </span>
      )}
      <span class="log-step" title={event.step ?? undefined}>
        {event.step}
      </span>
      <span class="log-level">{event.level}</span>
      <span class="log-text" dir="ltr">
        {line.afterGap && <b class="gap-word">⋯ earlier lines were removed by retention ⋯ </b>}
        {piecesOf(look.wrapped ? shown : shown.replaceAll('\n', ' ⏎ ')).map((piece, at) => (
          <PieceText key={at} piece={piece} marked={look.marked} />
        ))}
        {cut && <i> … {counted(text.length - SHOWN_MAX, 'more character')}</i>}
      </span>
    </div>
  );
}

function PieceText({ piece, marked }: { piece: Piece; marked: RegExp | null }) {
  const { text, classes } = piece;
  // Split by a pattern in brackets: what matched stands at the odd places.
  const parts = marked === null ? [text] : text.split(marked);
  return (
    <span class={classes || undefined}>
      {parts.map((part, at) => (at % 2 === 1 ? <mark key={at}>{part}</mark> : part))}
    </span>
  );
}
