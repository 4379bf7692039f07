/**
 * JSON values one behind the other, with or without anything between them, found one at a time.
 * What is no JSON is given as a problem, and the search goes on at the next object: one damaged
 * event costs no other.
 */
import { parseExactJson } from '../../domain/event/exact-number.ts';

export type FoundJson = { ok: true; value: unknown } | { ok: false };

const SPACE = /[\s,[\]]+/y;
const OBJECT = '{'.charCodeAt(0);

export function* concatenatedJson(text: string): Generator<FoundJson, void, undefined> {
  let at = 0;
  for (;;) {
    // Lists of events are taken as their events.
    SPACE.lastIndex = at;
    if (SPACE.test(text)) at = SPACE.lastIndex;
    if (at >= text.length) return;
    if (text.charCodeAt(at) !== OBJECT) {
      yield { ok: false };
      const next = text.indexOf('{', at);
      if (next === -1) return;
      at = next;
      continue;
    }
    const end = endOfObject(text, at);
    if (end === -1) {
      yield { ok: false };
      return;
    }
    yield parsed(text.slice(at, end));
    at = end;
  }
}

function parsed(text: string): FoundJson {
  try {
    return { ok: true, value: parseExactJson(text) };
  } catch {
    return { ok: false };
  }
}

/** What matters to where an object ends. */
const MARK = /["{}]/g;

/** Behind the brace that closes the one at `from`; -1: none does. */
function endOfObject(text: string, from: number): number {
  let depth = 0;
  MARK.lastIndex = from;
  for (let found = MARK.exec(text); found !== null; found = MARK.exec(text)) {
    if (found[0] === '{') depth++;
    else if (found[0] === '}') {
      depth--;
      if (depth === 0) return MARK.lastIndex;
    } else {
      const close = endOfString(text, found.index);
      if (close === -1) return -1;
      MARK.lastIndex = close + 1;
    }
  }
  return -1;
}

/** The quotation mark that closes the one at `from`; -1: none does. */
function endOfString(text: string, from: number): number {
  let at = text.indexOf('"', from + 1);
  while (at !== -1) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return at;
    at = text.indexOf('"', at + 1);
  }
  return -1;
}
