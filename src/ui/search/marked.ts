/** A message with the places where a search matched: clean text in pieces, never HTML. */
import { plainText } from '../log/text.ts';

export interface MarkedPiece {
  text: string;
  marked: boolean;
}

export interface Range {
  start: number;
  end: number;
}

/** Shown of a long message: so much, around its first match. */
const SHOWN_MAX = 400;
const BEFORE_MATCH = 120;

/** `highlights` in UTF-16 units of `message`, in order and not overlapping. */
export function markedPieces(message: string, highlights: readonly Range[]): MarkedPiece[] {
  const { start, end } = windowOf(message, highlights[0]);
  const pieces: MarkedPiece[] = [];
  const add = (from: number, to: number, marked: boolean): void => {
    const text = plainText(message.slice(from, to));
    if (text !== '') pieces.push({ text, marked });
  };
  let at = start;
  for (const highlight of highlights) {
    if (highlight.end > end) break;
    if (highlight.start < at) continue;
    add(at, highlight.start, false);
    add(highlight.start, highlight.end, true);
    at = highlight.end;
  }
  add(at, end, false);
  if (start > 0 && message[start - 1] !== '\r') pieces.unshift({ text: '… ', marked: false });
  if (end < message.trimEnd().length) pieces.push({ text: ' …', marked: false });
  return pieces;
}

/** Of a bar that overwrites itself, what stands last, or where the match is. */
function windowOf(message: string, match: Range | undefined): Range {
  const trimmed = message.trimEnd();
  const line = trimmed.lastIndexOf('\r', match === undefined ? trimmed.length : match.start) + 1;
  const lineEnd = trimmed.indexOf('\r', line);
  const behind = lineEnd < 0 || lineEnd < (match?.end ?? 0) ? trimmed.length : lineEnd;
  const start = match === undefined ? line : Math.max(line, match.start - BEFORE_MATCH);
  return { start: whole(message, start), end: whole(message, Math.min(behind, start + SHOWN_MAX)) };
}

/** Not between the halves of a surrogate pair. */
function whole(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff ? at - 1 : at;
}
