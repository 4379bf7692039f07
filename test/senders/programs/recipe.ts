/** Settings as the documentation shows them: what is tested is what people copy. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The first block of code below a heading, with `changes` made to it; each has to have a place. */
export function recipe(
  page: 'elasticsearch' | 'otlp',
  heading: string,
  changes: readonly (readonly [string, string])[],
): string {
  const text = readFileSync(join(import.meta.dirname, `../../../docs/senders/${page}.md`), 'utf8');
  const from = text.indexOf(`\n### ${heading}`);
  const [, block] = /```\w*\n(.*?)```/s.exec(from === -1 ? '' : text.slice(from)) ?? [];
  if (block === undefined) throw new Error(`docs/senders/${page}.md shows nothing of ${heading}`);
  return changes.reduce((settings, [shown, here]) => {
    if (!settings.includes(shown)) throw new Error(`${heading} does not show ${shown}`);
    return settings.replaceAll(shown, () => here);
  }, block);
}
