/**
 * Lines of NDJSON: they end at a line feed and nowhere else. JSON may hold U+2028 and others that
 * end a line elsewhere.
 */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';

export interface NumberedLine {
  /** From 1, as an editor numbers them. */
  number: number;
  /** Without its end. */
  text: string;
}

export interface Input {
  chunks: AsyncIterable<Uint8Array>;
  /** How many bytes of the file were read, as it lies there (compressed or not). */
  bytesRead(): number;
  /** Makes whoever reads its chunks fail. */
  close(): void;
}

/** `-` is standard input; what is called `.gz` is unpacked. */
export function openInput(file: string): Input {
  const { stdin } = process;
  if (file === '-') return { chunks: stdin, bytesRead: () => 0, close: () => stdin.destroy() };
  const input = createReadStream(file);
  const bytesRead = (): number => input.bytesRead;
  if (!file.endsWith('.gz')) return { chunks: input, bytesRead, close: () => input.destroy() };
  const unpacked = createGunzip();
  // Whoever reads the unpacked text would else never hear that the file is missing.
  input.once('error', (error) => unpacked.destroy(error));
  unpacked.once('close', () => input.destroy());
  return { chunks: input.pipe(unpacked), bytesRead, close: () => unpacked.destroy() };
}

/** A mark at the beginning is no text. */
export async function* ndjsonLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<NumberedLine> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let number = 0;
  for await (const chunk of input) {
    const pieces = decoder.decode(chunk, { stream: true }).split('\n');
    const rest = pieces.pop() as string;
    for (const piece of pieces) {
      parts.push(piece);
      yield { number: ++number, text: withoutReturn(parts.join('')) };
      parts.length = 0;
    }
    parts.push(rest);
  }
  parts.push(decoder.decode());
  const last = parts.join('');
  if (last !== '') yield { number: ++number, text: withoutReturn(last) };
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
