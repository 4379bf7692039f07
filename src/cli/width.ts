/**
 * How wide a text is on a terminal, and texts made to fit: a Chinese character takes two columns,
 * a combining mark none, and what sets a colour takes none and must not be cut in half.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
const SGR = /(\x1b\[[0-9;]*m)/;
/** Printable ASCII: nearly everything, and its length is its width. */
const PLAIN = /^[ -~]*$/;
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that the text takes. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const [index, part] of text.split(SGR).entries()) {
    if (index % 2 === 1) continue;
    for (const { segment } of segmenter.segment(part)) width += widthOfOne(segment);
  }
  return width;
}

function widthOfOne(grapheme: string): number {
  if (WIDE.test(grapheme)) return 2;
  return NOTHING.test(grapheme) ? 0 : 1;
}

/** At most `width` columns, with an ellipsis where something is missing; colours are ended. */
export function cut(text: string, width: number): string {
  if (text.length <= width && PLAIN.test(text)) return text;
  if (widthOf(text) <= width) return text;
  let room = Math.max(0, width - 1);
  let out = '';
  let coloured = false;
  for (const [index, part] of text.split(SGR).entries()) {
    if (index % 2 === 1) {
      out += part;
      coloured = true;
      continue;
    }
    for (const { segment } of segmenter.segment(part)) {
      const wide = widthOfOne(segment);
      if (wide > room) return `${out}…${coloured ? '\x1b[0m' : ''}`;
      room -= wide;
      out += segment;
    }
  }
  return out;
}

/** Filled up with spaces. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** The whole text in lines of at most `width` columns, without its colours. */
export function inLines(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const { segment } of segmenter.segment(withoutColours(text))) {
    const wide = widthOfOne(segment);
    if (used + wide > width && line !== '') {
      lines.push(line);
      line = '';
      used = 0;
    }
    line += segment;
    used += wide;
  }
  return [...lines, line];
}

function withoutColours(text: string): string {
  return text
    .split(SGR)
    .filter((_, index) => index % 2 === 0)
    .join('');
}
