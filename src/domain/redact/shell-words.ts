/**
 * The arguments of a command as they stand in a text: words of a shell, quoted or not, or the
 * entries of a list as programs print it (`['mysql', '-phunter2']`). Not a whole shell: a word is
 * read as far as it is needed to find a secret in it.
 */
export interface ShellWord {
  /** Without its quotes. */
  value: string;
  /** Where in the text characters `from` to `to` of the value stand. */
  place(from: number, to: number): { from: number; to: number };
}

/** Words begin within so many characters behind the program's name. */
const REACH = 256;
const WORDS_MAX = 40;
const QUOTE = /\\{0,4}["'`]/y;
const LIST = /(\\{0,4}["'`]),\s{0,16}(?=\\{0,4}["'`])/y;
const RUN = /[^\s|;&)"'`\\]+/y;
const SPACE = /(?:[ \t]|\\\r?\n)/y;
const ENDS = /[\n|;&)]/;

/** The words behind `from`, up to the end of the command. */
export function readArguments(text: string, from: number): ShellWord[] {
  const list = at(LIST, text, from);
  if (list !== null) return readList(text, from + list.length);
  const closing = at(QUOTE, text, from);
  const words: ShellWord[] = [];
  let position = from + (closing?.length ?? 0);
  while (position < text.length && position - from < REACH && words.length < WORDS_MAX) {
    const space = at(SPACE, text, position);
    if (space !== null) {
      position += space.length;
      continue;
    }
    if (ENDS.test(text[position] ?? '')) break;
    const word = readWord(text, position);
    if (word.end === position) break;
    words.push(word);
    position = word.end;
    if (word.isLast) break;
  }
  return words;
}

function at(pattern: RegExp, text: string, position: number): string | null {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0] ?? null;
}

function readWord(text: string, begin: number): ShellWord & { end: number; isLast: boolean } {
  let value = '';
  const places: number[] = [];
  let position = begin;
  let lastQuote = { open: -1, close: -1, end: -1 };
  let isLast = false;
  const take = (from: number, to: number) => {
    value += text.slice(from, to);
    for (let own = from; own < to; own++) places.push(own);
  };
  while (position < text.length) {
    const char = text[position] ?? '';
    if (char === ' ' || char === '\t' || ENDS.test(char)) break;
    const run = at(RUN, text, position);
    if (run !== null) {
      take(position, position + run.length);
      position += run.length;
      continue;
    }
    const quote = at(QUOTE, text, position);
    if (quote === null) {
      take(position, position + 1);
      position++;
      continue;
    }
    const open = position + quote.length;
    const close = closingOf(text, open, quote);
    if (close < 0) {
      // It closes what the whole command stands in.
      isLast = true;
      break;
    }
    take(open, close);
    position = close + quote.length;
    lastQuote = { open, close, end: position };
  }
  const end = position;
  return {
    value,
    end,
    isLast,
    place(from, to) {
      const first = places[from] ?? end;
      if (to < value.length) return { from: first, to: places[to] ?? end };
      const isInside = lastQuote.end === end && lastQuote.open <= first;
      return { from: first, to: isInside ? lastQuote.close : end };
    },
  };
}

/** Within the line; -1 where the quote is not closed. */
function closingOf(text: string, open: number, quote: string): number {
  const close = text.indexOf(quote, open);
  return close < 0 || text.slice(open, close).includes('\n') ? -1 : close;
}

function readList(text: string, from: number): ShellWord[] {
  const words: ShellWord[] = [];
  let position = from;
  while (position - from < REACH && words.length < WORDS_MAX) {
    const quote = at(QUOTE, text, position);
    if (quote === null) break;
    const open = position + quote.length;
    const close = text.indexOf(quote, open);
    if (close < 0) break;
    words.push({
      value: text.slice(open, close),
      place: (first, last) => ({ from: open + first, to: open + last }),
    });
    const next = at(LIST, text, close);
    if (next === null) break;
    position = close + next.length;
  }
  return words;
}
