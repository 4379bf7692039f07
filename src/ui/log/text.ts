/** What a terminal would show of a line: pieces with colours, no control sequences, never HTML. */
import Anser from 'anser';

export interface Piece {
  text: string;
  /** Names of classes; none: as it comes. */
  classes: string;
}

/** Links, titles, cursor movements: everything that is neither text nor a colour. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-ln-~]|\x1b[@-Z\\-_]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const REST = /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g;
/** Marks that turn the direction of what follows: they could make a line read as another. */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A bar that overwrites itself is its last text, in each line of it. */
function lastOverwrite(text: string): string {
  if (!text.includes('\r')) return text;
  return text
    .split('\n')
    .map((line) => line.replace(/\r+$/, ''))
    .map((line) => line.slice(line.lastIndexOf('\r') + 1))
    .join('\n');
}

export function piecesOf(message: string): Piece[] {
  const text = lastOverwrite(message).replace(CONTROLS, '').replace(DIRECTIONS, '');
  if (!text.includes('\x1b')) return [{ text: text.replace(REST, ''), classes: '' }];
  return Anser.ansiToJson(text, { use_classes: true, remove_empty: true }).map((part) => ({
    text: part.content.replace(REST, '').replaceAll('\x1b', ''),
    classes: [
      part.fg ? `fg-${part.fg}` : '',
      part.bg ? `bg-${part.bg}` : '',
      ...part.decorations.map((name) => `text-${name}`),
    ]
      .filter((name) => /^[a-z-]+$/.test(name))
      .join(' '),
  }));
}

export function plainText(message: string): string {
  return piecesOf(message)
    .map(({ text }) => text)
    .join('');
}
