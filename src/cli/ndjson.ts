/**
 * Lines of NDJSON: they end at a line feed and nowhere else. JSON may hold U+2028 and others that
 * end a line elsewhere.
 */

/** From 1, as an editor numbers them; without their ends. A mark at the beginning is no text. */
export async function* ndjsonLines(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ number: number; text: string }> {
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
