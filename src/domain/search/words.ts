/**
 * What a word is, defined once: both engines index the words computed here, and live matching
 * uses them too, so the same search finds the same events everywhere.
 *
 * A word is a run of letters, digits and marks, case-folded; every CJK character is a word by
 * itself, for those scripts do not put spaces between words. What a terminal does not show (colours,
 * links) is no text, and stands between no two letters. Log lines are nearly always ASCII,
 * and this is on the hot path of every append, so ASCII text is read by character codes alone.
 */

import type { LogEvent, StepError } from '../event/event.ts';
import { hasEscapeCodes, seenText, withoutEscapeCodes } from '../text/escape-codes.ts';

/** start, end: UTF-16 offsets of the word in the text that it was found in. */
export interface Word {
  word: string;
  start: number;
  end: number;
}

/** Longer runs are cut (base64, minified code): the index need not hold them. UTF-16 units. */
export const WORD_MAX = 128;

const NOT_ASCII = /[\u0080-\uffff]/;
/** Includes the long vowel marks, which Unicode counts to no script. */
const CJK = `\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\u30fc\uff70`;
/** A Hangul syllable in its decomposed form (file names of macOS) is one character too. */
const JAMO = '[\\u1100-\\u115f][\\u1160-\\u11a7][\\u11a8-\\u11ff]?';
/**
 * One CJK character with the marks that belong to it, or a run of anything else. A mark alone
 * (the variation selector of an emoji) is no word.
 */
const WORD = new RegExp(
  `${JAMO}|[${CJK}][\\p{M}\uff9e\uff9f]*|(?![${CJK}])[\\p{L}\\p{N}](?:(?![${CJK}])[\\p{L}\\p{N}\\p{M}])*`,
  'gu',
);
const NOT_WORD = /[^\p{L}\p{N}\p{M}]+/gu;

/** 1: upper case letter; 2: other word character. By ASCII code. */
const ASCII_CLASS = new Uint8Array(128);
for (let code = 0x30; code <= 0x39; code++) ASCII_CLASS[code] = 2;
for (let code = 0x41; code <= 0x5a; code++) ASCII_CLASS[code] = 1;
for (let code = 0x61; code <= 0x7a; code++) ASCII_CLASS[code] = 2;

/** The case-folded words of a text, in order. */
export function wordsOf(text: string): string[] {
  const seen = withoutEscapeCodes(text);
  return NOT_ASCII.test(seen) ? plainWords(seen).map(({ word }) => word) : asciiWords(seen);
}

/** The same with spaces between them, as an index takes it in. */
export function indexedText(text: string): string {
  return wordsOf(text).join(' ');
}

function asciiWords(text: string): string[] {
  const found: string[] = [];
  // Lower-casing ASCII keeps every offset, and one call for the whole text is the cheapest.
  const folded = text.toLowerCase();
  const length = text.length;
  let start = -1;
  for (let at = 0; at < length; at++) {
    if (ASCII_CLASS[text.charCodeAt(at)] !== 0) {
      if (start < 0) start = at;
    } else if (start >= 0) {
      found.push(folded.slice(start, Math.min(at, start + WORD_MAX)));
      start = -1;
    }
  }
  if (start >= 0) found.push(folded.slice(start, start + WORD_MAX));
  return found;
}

/**
 * The words of a text with their places, in order. A word that escape codes stand in lasts from
 * its first letter to its last.
 */
export function words(text: string): Word[] {
  if (!hasEscapeCodes(text)) return plainWords(text);
  const seen = seenText(text);
  return plainWords(seen.text).map(({ word, start, end }) => {
    const first = seen.place(start);
    return { word, start: first, end: seen.place(end - 1) + 1 };
  });
}

function plainWords(text: string): Word[] {
  const found: Word[] = [];
  for (const { 0: run, index: start } of text.matchAll(WORD)) {
    const word = foldWord(run);
    if (word !== '') found.push({ word, start, end: start + run.length });
  }
  return found;
}

/**
 * Compatibility forms become plain (full-width letters, ligatures), capitals small; what folding
 * brings in that is no word character (some forms unfold into spaces or signs) is removed.
 */
function foldWord(run: string): string {
  const first = run.charCodeAt(0);
  if (
    run.length === 1 &&
    ((first >= 0x3400 && first < 0xa000) || (first >= 0xac00 && first < 0xd7a4))
  ) {
    return run; // plain Han and Hangul fold to themselves
  }
  if (!NOT_ASCII.test(run)) return run.slice(0, WORD_MAX).toLowerCase();
  // Folding can only lengthen a word by a bounded factor, so a giant run is cut before it.
  const input = run.length > 4 * WORD_MAX ? cut(run, 4 * WORD_MAX) : run;
  const folded = input
    .normalize('NFKC')
    // By way of capitals: some small letters have the same capitals as others (ß and ss, ς and σ).
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKC')
    .replace(NOT_WORD, '');
  return folded.length > WORD_MAX ? cut(folded, WORD_MAX) : folded;
}

/** Never between the halves of a surrogate pair: half of one cannot be stored as UTF-8. */
function cut(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** The texts of an event that a search looks at, apart: a phrase does not cross from one to another. */
export function searchedTexts(event: Pick<LogEvent, 'message' | 'command' | 'error'>): string[] {
  const texts: string[] = [];
  if (event.message !== null) texts.push(event.message);
  if (event.command !== null) texts.push(event.command);
  if (event.error !== null) texts.push(errorText(event.error));
  return texts;
}

export function errorText({ code, message }: StepError): string {
  return code === null ? message : `${code} ${message}`;
}
