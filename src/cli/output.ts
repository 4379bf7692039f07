/**
 * Data goes to stdout, what is said to a person to stderr. A closed pipe on stdout (`| head`) is
 * the reader's decision and therefore success.
 */
import { stripVTControlCharacters, styleText } from 'node:util';
import { withoutCredentials } from '../domain/text/address.ts';
import { EXIT } from './exit.ts';

export type Style =
  | 'bold'
  | 'dim'
  | 'red'
  | 'green'
  | 'yellow'
  | 'blue'
  | 'magenta'
  | 'cyan'
  | 'gray'
  | 'inverse';
/** Colours a text, or leaves it alone. */
export type Paint = (style: Style, text: string) => string;

/** `--no-color` and NO_COLOR decide, then FORCE_COLOR; else whether it is a terminal with colours. */
export function painter(stream: NodeJS.WritableStream, colorOption = true): Paint {
  const plain = !colorOption || (process.env.NO_COLOR ?? '') !== '';
  return (style, text) => (plain ? text : styleText(style, text, { stream }));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const SGR = /(\x1b\[[0-9;]*m)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
/** Embeddings, overrides and isolates: they show a text in another order than it has. */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text of a log as it may be shown on a terminal: colours stay (and are ended), everything else
 * that could move the cursor, set a title or turn the text around is removed.
 */
export function forTerminal(text: string): string {
  let coloured = false;
  const parts = text.split(SGR).map((part, index) => {
    if (index % 2 === 1) {
      coloured = true;
      return part;
    }
    return stripVTControlCharacters(part).replace(CONTROLS, '').replace(BIDI, '');
  });
  return coloured ? `${parts.join('')}\x1b[0m` : parts.join('');
}

/** stdout that waits for a slow reader. After the reader is gone, `closed` is true for good. */
export class Output {
  readonly #stream: NodeJS.WriteStream;
  readonly #onClosed: (() => void)[] = [];
  closed = false;

  constructor(stream: NodeJS.WriteStream = process.stdout) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') {
        // A full disk, most likely. Going on would leave a hole in what was asked for.
        say(`shiplog: stdout cannot be written: ${error.message}`);
        process.exit(EXIT.failed);
      }
      if (this.closed) return;
      this.closed = true;
      for (const listener of this.#onClosed) listener();
    });
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Of the terminal (100 where it does not know); elsewhere COLUMNS, or no end: a file is not cut. */
  get columns(): number {
    if (this.isTerminal) return this.#stream.columns || 100;
    const told = Number(process.env.COLUMNS);
    return Number.isInteger(told) && told > 0 ? told : Number.POSITIVE_INFINITY;
  }

  /** Rows of the terminal; null where there is none. */
  get rows(): number | null {
    return this.#stream.rows || null;
  }

  onClosed(listener: () => void): void {
    this.#onClosed.push(listener);
  }

  /** Resolves when the text was handed on; false if the reader is gone. */
  write(text: string): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    return new Promise((resolve) => this.#stream.write(text, (error) => resolve(error == null)));
  }

  /** One line of JSON for each value. */
  json(...values: unknown[]): Promise<boolean> {
    return this.write(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  }
}

/** Says something to the person at the terminal: what it quotes harms no terminal and gives no password away. */
export function say(text: string): void {
  const told = withoutCredentials(text);
  process.stderr.write(`${process.stderr.isTTY ? forTerminal(told) : told}\n`);
}
