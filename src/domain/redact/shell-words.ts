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

interface Word extends ShellWord {
  /** Where it ends in the text. */
  end: number;
  /** It ends the command. */
  isLast: boolean;
}

/** Words begin within so many characters behind the program's name. */
const REACH = 256;
const WORDS_MAX = 40;
const QUOTE = /\\{0,4}["'`]/y;
const LIST = /(\\{0,4}["'`]),\s{0,16}(?=\\{0,4}["'`])/y;
const RUN = /[^\s|;&)"'`\\]+/y;
/** It does not end the command. */
const NEW_LINE = /\\\r?\n/y;
const ENDS = new Set(['\n', '|', ';', '&', ')']);

/**
 * Reads the words behind a place, up to the end of the command. Each word of the text is read once,
 * however many commands it may belong to.
 */
export function argumentReader(text: string): (from: number) => ShellWord[] {
  const known = new Map<number, Word>();
  const wordAt = (position: number): Word => {
    const word = known.get(position) ?? readWord(text, position);
    known.set(position, word);
    return word;
  };
  return (from) => {
    const list = at(LIST, text, from);
    if (list !== null) return readList(text, from + list.length);
    const closing = at(QUOTE, text, from);
    const words: ShellWord[] = [];
    let position = from + (closing?.length ?? 0);
    while (position < text.length && position - from < REACH && words.length < WORDS_MAX) {
      const char = text[position] ?? '';
      const space =
        char === ' ' || char === '\t' ? char : char === '\\' && at(NEW_LINE, text, position);
      if (space) {
        position += space.length;
        continue;
      }
      if (ENDS.has(char)) break;
      const word = wordAt(position);
      if (word.end === position) break;
      words.push(word);
      position = word.end;
      if (word.isLast) break;
    }
    return words;
  };
}

function at(pattern: RegExp, text: string, position: number): string | null {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0] ?? null;
}

function readWord(text: string, begin: number): Word {
  let value = '';
  /** Where pieces of the value begin: in it, and in the text. */
  const pieces: { value: number; text: number }[] = [];
  let position = begin;
  let lastQuote = { open: -1, close: -1, end: -1 };
  let isLast = false;
  const take = (from: number, to: number) => {
    pieces.push({ value: value.length, text: from });
    value += text.slice(from, to);
    position = to;
  };
  while (position < text.length) {
    const char = text[position] ?? '';
    if (char === ' ' || char === '\t' || ENDS.has(char)) break;
    const run = at(RUN, text, position);
    if (run !== null) {
      take(position, position + run.length);
      continue;
    }
    const quote = at(QUOTE, text, position);
    if (quote === null) {
      take(position, position + 1);
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
  const place = (at: number) => {
    const piece = pieces.findLast((own) => own.value <= at);
    return piece === undefined || at >= value.length ? end : piece.text + at - piece.value;
  };
  return {
    value,
    end,
    isLast,
    place(from, to) {
      const first = place(from);
      if (to < value.length) return { from: first, to: place(to) };
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
