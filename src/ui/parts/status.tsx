/** A status is a colour, a glyph and a word: nobody has to tell it by the colour. */
import './status.css';

const GLYPHS: Readonly<Record<string, string>> = {
  SUCCEEDED: '✔',
  FAILED: '✖',
  RUNNING: '●',
  PENDING: '◔',
  NOT_RUN: '∅',
  TIMED_OUT: '⊗',
  SKIPPED: '⤼',
  CANCELLED: '⊘',
  PARTIAL: '◐',
};

export function statusWord(status: string): string {
  return status.replaceAll('_', ' ');
}

export function glyphOf(status: string): string {
  return GLYPHS[status] ?? '?';
}

export function Status({ status, stale = false }: { status: string; stale?: boolean }) {
  return (
    <span class={`status status-${status.toLowerCase().replaceAll('_', '-')}`}>
      <span aria-hidden="true">{glyphOf(status)}</span> {statusWord(status)}
      {stale && <span class="stale"> silent</span>}
    </span>
  );
}
