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

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
