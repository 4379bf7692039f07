/**
 * The words of an event, for live searches. Events are immutable, and one event is held against the
 * searches of many subscribers; but words weigh several times their text, and events stay in
 * memory for as long as somebody may read them. So those of the newest events are kept only.
 */
import type { LogEvent } from '../event/event.ts';
import { searchedTexts, wordsOf } from './words.ts';

/** How many words, of all events together: some 10 MB. */
const KEPT_WORDS = 200_000;
/** What an entry takes besides its words, counted in words. */
const ENTRY = 10;

const kept = new Map<object, string[][]>();
let keptWords = 0;

/** The words of each searched text of the event, in order. */
export function eventWords(event: LogEvent): readonly string[][] {
  const known = kept.get(event);
  if (known !== undefined) return known;
  const texts = searchedTexts(event).map(wordsOf);
  kept.set(event, texts);
  keptWords += weightOf(texts);
  for (const [oldest, own] of kept) {
    if (keptWords <= KEPT_WORDS) break;
    kept.delete(oldest);
    keptWords -= weightOf(own);
  }
  return texts;
}

function weightOf(texts: readonly string[][]): number {
  return texts.reduce((sum, { length }) => sum + length, ENTRY);
}
