/**
 * Texts in the order of their code points, as both engines sort: JavaScript's own `<` puts an
 * emoji before a full-width letter.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
