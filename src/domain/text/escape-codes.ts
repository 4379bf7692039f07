/**
 * What a terminal takes as orders and does not show: colours, links, movements, resets. Searches,
 * failures and secrets are about what a person sees, so all of them read texts without these.
 *
 * The grammar is that of ECMA-48, with one byte (ESC) or eight bits (C1) for the introducers. One
 * that is cut off ends where nothing can belong to it any more. Every repeat runs over what cannot
 * begin a second match, so this is linear in the text.
 */
const ESC = '\\x1b';
const C1_STRING = '\\x90\\x98\\x9d-\\x9f';
/** Colours, movements: parameters, then one final character. */
const SEQUENCE = `(?:${ESC}\\[|\\x9b)[0-?]*[ -/]*[@-~]?`;
/** Titles, links, images: up to their terminator, at most to the end of the line. */
const STRING = `(?:${ESC}[\\]PX^_]|[${C1_STRING}])[^\\x07${ESC}\\x9c\\n]*(?:\\x07|${ESC}\\\\|\\x9c)?`;
/** Choices of a character set, and single orders such as a reset. */
const SHORT = `${ESC}[ -/]+[0-~]?|${ESC}[0-~]`;

const CODE = new RegExp(`${SEQUENCE}|${STRING}|${SHORT}`, 'g');
const C1 = new RegExp(`[${C1_STRING}\\x9b]`);

export function hasEscapeCodes(text: string): boolean {
  return text.includes('\u001b') || C1.test(text);
}

/** What is seen of the text. */
export function withoutEscapeCodes(text: string): string {
  return hasEscapeCodes(text) ? text.replace(CODE, '') : text;
}

/** What is seen, with the place in the original of each of its characters. */
export interface SeenText {
  text: string;
  /** UTF-16 offset in the original of the character at `at`. */
  place(at: number): number;
}

/** Answers `place` for rising offsets in one pass; for falling ones it begins anew. */
export function seenText(original: string): SeenText {
  const parts: string[] = [];
  /** For each part: where it begins in what is seen, and how much was left out before it. */
  const begins: number[] = [];
  const hidden: number[] = [];
  let at = 0;
  let seen = 0;
  const add = (end: number) => {
    if (end === at) return;
    parts.push(original.slice(at, end));
    begins.push(seen);
    hidden.push(at - seen);
    seen += end - at;
  };
  for (const { 0: code, index } of original.matchAll(CODE)) {
    add(index);
    at = index + code.length;
  }
  add(original.length);
  let part = 0;
  return {
    text: parts.join(''),
    place(offset) {
      if ((begins[part] ?? 0) > offset) part = 0;
      while (part + 1 < begins.length && (begins[part + 1] ?? 0) <= offset) part++;
      return offset + (hidden[part] ?? 0);
    },
  };
}
