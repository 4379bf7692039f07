/**
 * Docker cuts lines at 16 KiB, and its splunk driver sends the pieces as events of their own with
 * no mark at all: only the same time and an exact length tell. They are joined within a request;
 * where the driver began a new one between two pieces they stay two lines.
 */
const PIECE_BYTES = 16_384;
/** A character of four bytes that was cut leaves three at most on either side. */
const CUT_BYTES = 3;

export interface DockerLine {
  line: string;
  /** All that pieces of one line have in common, its time included. */
  key: string;
}

/** Joins pieces that follow one another; others may stand between those of the other stream. */
export function* joinPieces<T extends DockerLine>(
  lines: Iterable<T | null>,
): Generator<T | null, void, undefined> {
  let begun: { joined: T; pieces: string[] } | null = null;
  for (const line of lines) {
    if (begun !== null && line !== null && line.key === begun.joined.key) {
      begun.pieces.push(line.line);
      if (isWholePiece(line.line)) continue;
      yield { ...begun.joined, line: begun.pieces.join('') };
      begun = null;
      continue;
    }
    if (begun !== null) yield { ...begun.joined, line: begun.pieces.join('') };
    begun = line !== null && isWholePiece(line.line) ? { joined: line, pieces: [line.line] } : null;
    if (begun === null) yield line;
  }
  if (begun !== null) yield { ...begun.joined, line: begun.pieces.join('') };
}

/** Each byte of a character that the cut went through is a U+FFFD of three bytes. */
function isWholePiece(line: string): boolean {
  if (line.length < PIECE_BYTES / 4) return false;
  const bytes = Buffer.byteLength(line);
  if (bytes < PIECE_BYTES || bytes > PIECE_BYTES + 4 * CUT_BYTES) return false;
  return bytes - 2 * replacedAtEnds(line) === PIECE_BYTES;
}

function replacedAtEnds(line: string): number {
  let count = 0;
  while (count < CUT_BYTES && line[count] === '\ufffd') count++;
  for (let back = 1; back <= CUT_BYTES && line[line.length - back] === '\ufffd'; back++) count++;
  return count;
}
