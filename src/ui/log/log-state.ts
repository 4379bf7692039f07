/** What the page has of a log: a window of its lines, and where in the log that is. */
import type { AskError } from '../data/ask.ts';
import type { Line } from './line.ts';

/** A row, and the pixels above it. */
export interface AskedAt {
  row: number;
  top: number;
}

export interface LogState {
  lines: readonly Line[];
  /** How many lines are before the first of `lines`, and in all: estimated until an end is seen. */
  before: number;
  total: number;
  /** Which move brought the window here; it grows at both ends until the next one. */
  move: number;
  /** The place of the first of `lines`: 0 is the line that the move was to, or the first that it brought. */
  first: number;
  /** Where the line at place 0 was asked for by its row; null: it was not. */
  askedAt: AskedAt | null;
  atStart: boolean;
  atEnd: boolean;
  /** Came while the window stood elsewhere. */
  unseen: number;
  loading: boolean;
  error: AskError | null;
}

export const NOTHING_KNOWN: LogState = {
  lines: [],
  before: 0,
  total: 0,
  move: 0,
  first: 0,
  askedAt: null,
  atStart: false,
  atEnd: false,
  unseen: 0,
  loading: true,
  error: null,
};
