/**
 * JSON objects one behind the other, with or without anything between them, found one at a time.
 * What is no JSON is given as a problem, and the search goes on at the next event: one damaged
 * event costs no other, though a quotation mark or a brace that is missing seems to swallow all
 * that stands behind it.
 */
import { parseExactJson } from '../../domain/event/exact-number.ts';

export type FoundJson = { ok: true; value: unknown } | { ok: false };

const SPACE = /[\s,[\]]+/y;
const OBJECT = '{'.charCodeAt(0);
/** How events begin. Within a text of JSON nothing can look so, for its quotation marks are escaped. */
const EVENT = /\{\s*"(?:event|time|host|source|sourcetype|index|fields)"\s*:/g;
/** Characters behind damage that are looked at for events, in lengths of the text. */
const LOOKS = 2;

export function* concatenatedJson(text: string): Generator<FoundJson, void, undefined> {
  let at = 0;
  /** Up to where something damaged may reach: it is told once. */
  let damagedTo = 0;
  let looks = LOOKS * text.length;
  for (;;) {
    // Lists of events are taken as their events.
    SPACE.lastIndex = at;
    if (SPACE.test(text)) at = SPACE.lastIndex;
    if (at >= text.length) return;
    const isObject = text.charCodeAt(at) === OBJECT;
    const end = isObject ? endOfObject(text, at) : -1;
    const found = end === -1 ? null : parsed(text.slice(at, end));
    if (found?.ok) {
      // A part of something damaged may be whole, and is no event.
      if (at >= damagedTo || isEvent(found.value)) yield found;
      at = end;
      continue;
    }
    if (at >= damagedTo) yield { ok: false };
    if (isObject) {
      const to = end === -1 ? text.length : end;
      damagedTo = Math.max(damagedTo, to);
      looks -= to - at;
    }
    const next = isObject ? nextEvent(text, at + 1, end) : text.indexOf('{', at);
    if (next === -1 || looks < 0) return;
    at = next;
  }
}

/** `end`: behind the object that was damaged; -1: nobody knows. -1: there is none. */
function nextEvent(text: string, from: number, end: number): number {
  EVENT.lastIndex = from;
  const event = EVENT.exec(text)?.index ?? -1;
  if (event === -1 || end === -1) return Math.max(event, end);
  return Math.min(event, end);
}

function isEvent(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'event');
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
