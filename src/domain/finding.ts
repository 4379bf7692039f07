/** What one check of an installation found, and what to do about it. */
export interface Finding {
  /** A word or two: what was looked at. */
  check: string;
  /** A problem keeps Shiplog from working now; a warning may do so later, or is unwise. */
  state: 'ok' | 'warning' | 'problem';
  detail: string;
  /** null: nothing is to be done. */
  advice: string | null;
}

export function fine(check: string, detail: string): Finding {
  return { check, state: 'ok', detail, advice: null };
}

export function warning(check: string, detail: string, advice: string): Finding {
  return { check, state: 'warning', detail, advice };
}

export function problem(check: string, detail: string, advice: string): Finding {
  return { check, state: 'problem', detail, advice };
}
