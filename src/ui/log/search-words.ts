/** The words of a search that can be marked in a line: not those of fields, and not what must be absent. */
const TERM = /(?<not>-)?(?:(?<field>[a-z]+):)?(?:"(?<phrase>[^"]*)"|(?<word>[^\s"]+))/gi;
const SHORTEST = 2;
const MOST = 16;

/** null: there are none. Matches are in brackets, for splitting. */
export function searchedWords(search: string): RegExp | null {
  const words = [...search.matchAll(TERM)]
    .filter(({ groups }) => groups?.not === undefined && groups?.field === undefined)
    .map(({ groups }) => (groups?.phrase ?? groups?.word ?? '').replace(/\*$/, ''))
    .filter((word) => word.length >= SHORTEST)
    .slice(0, MOST);
  if (words.length === 0) return null;
  return new RegExp(`(${words.map((word) => escaped(word)).join('|')})`, 'i');
}

/** Where they are in a text. */
export function placesOf(words: RegExp | null, text: string): { start: number; end: number }[] {
  if (words === null) return [];
  const found = text.matchAll(new RegExp(words, 'gi'));
  return Array.from(found, ({ index, 0: word }) => ({ start: index, end: index + word.length }));
}

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
