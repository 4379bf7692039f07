/** Which time a view is about: the last so many hours, or between two moments. In the address. */
import { useMemo } from 'preact/hooks';
import { useParam } from '../address/address.ts';
import { Cell, useCell } from '../parts/cell.ts';

const HOUR = 3_600_000;
/** Clocks of reporters may be so much ahead. */
const AHEAD_MS = 300_000;

/** By the value of `last`. */
export const SPANS: Readonly<Record<string, { name: string; ms: number }>> = {
  '1h': { name: 'last hour', ms: HOUR },
  '6h': { name: 'last 6 h', ms: 6 * HOUR },
  '24h': { name: 'last 24 h', ms: 24 * HOUR },
  '7d': { name: 'last 7 days', ms: 7 * 24 * HOUR },
  '30d': { name: 'last 30 days', ms: 30 * 24 * HOUR },
  '90d': { name: 'last 90 days', ms: 90 * 24 * HOUR },
};

export interface Range {
  /** RFC 3339; null: open. */
  from: string | null;
  to: string | null;
  /** `to`, or a little more than now: for charts, which else end with the last that there is. */
  until: string;
  /** A name of SPANS; null: between two moments. */
  last: string | null;
  /** As people say it. */
  name: string;
}

/** Counts how often the views were asked to look again. */
export const lookedAgain = new Cell(0);

/** What somebody typed into the address and is no moment counts as absent. */
function momentOf(text: string | undefined): string | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** Relative ranges count from when `asked` last changed, so that pages of one list fit together. */
export function useRange(usual: string, asked: string): Range {
  const [fromText] = useParam('from');
  const [toText] = useParam('to');
  const [lastText] = useParam('last');
  const times = useCell(lookedAgain);
  return useMemo(() => {
    const from = momentOf(fromText);
    const to = momentOf(toText);
    const until = to ?? new Date(Date.now() + AHEAD_MS).toISOString();
    if (from !== null || to !== null) return { from, to, until, last: null, name: 'chosen time' };
    const last = lastText !== undefined && Object.hasOwn(SPANS, lastText) ? lastText : usual;
    const span = SPANS[last] ?? { name: last, ms: 24 * HOUR };
    const since = new Date(Date.now() - span.ms).toISOString();
    return { from: since, to: null, until, last, name: span.name };
  }, [fromText, toText, lastText, usual, asked, times]);
}

/** The next longer span; null: there is none. */
export function longerThan(last: string | null): string | null {
  const names = Object.keys(SPANS);
  const at = last === null ? -1 : names.indexOf(last);
  return last === null ? '30d' : (names[at + 1] ?? null);
}

/** Local time, as `datetime-local` fields have it. */
export function localText(at: string | null): string {
  if (at === null) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
