/** Logs to look at, and how tests read one in the page. */
import type { Locator, Page } from 'playwright-core';
import type { Ingest } from '../../src/ingest/ingest.ts';

export const BEGAN = Date.parse('2026-03-01T10:00:00Z');

/** Lines `line 0` … of one host, 2 ms apart; each 1,000th of them is a WARN with the word odd. */
export async function writeLines(
  ingest: Ingest,
  taskId: string,
  from: number,
  to: number,
): Promise<void> {
  for (let begin = from; begin < to; begin += 1_000) {
    const count = Math.min(1_000, to - begin);
    await ingest.logSteps(
      Array.from({ length: count }, (_, at) => {
        const line = begin + at;
        const odd = line % 1_000 === 500;
        return {
          taskId,
          host: 'web-1',
          step: line < 50 ? 'download' : 'unpack',
          at: BEGAN + line * 2,
          message: odd ? `line ${line} is odd` : `line ${line}`,
          ...(odd && { level: 'WARN' }),
        };
      }),
    );
  }
}

export function logOf(page: Page): Locator {
  return page.getByRole('log', { name: 'Log' });
}

/** Texts of the lines that are drawn. */
export function drawn(page: Page): Promise<string[]> {
  return logOf(page).locator('.log-text').allTextContents();
}

/**
 * Runs in the page: scrolls by so many lines so often. Resolves to how many lines it passed, at which one
 * it ended, and how often the log scrolled by itself.
 */
const readOn = `async ({ by, times }) => {
  const box = document.querySelector('.log-lines');
  const { left, top } = box.getBoundingClientRect();
  const topLine = () => {
    const row = document.elementFromPoint(left + 40, top + 2).closest('.log-line');
    if (row === null) throw new Error('Nothing is drawn where one looks');
    const text = row.querySelector('.log-text');
    return text === null ? null : Number(text.textContent.split(' ')[1]);
  };
  // What is not here yet is waited for; no frame may show a wrong line.
  const shown = async () => {
    for (let frame = 0; frame < 600; frame++) {
      await new Promise(requestAnimationFrame);
      const line = topLine();
      if (line !== null) return line;
    }
    throw new Error('No line came');
  };
  const began = await shown();
  let line = began;
  let bySelf = 0;
  for (let time = 0; time < times; time++) {
    const before = box.scrollTop;
    box.scrollTop += by * 20;
    const to = box.scrollTop;
    const scrolled = (to - before) / 20;
    const now = await shown();
    const atEdge = box.scrollTop === 0 || box.scrollTop + box.clientHeight >= box.scrollHeight - 1;
    if (now !== line + scrolled && !atEdge) {
      throw new Error('From ' + line + ' ' + scrolled + ' lines led to ' + now);
    }
    line = now;
    // Also between two frames.
    await new Promise((resolve) => setTimeout(resolve));
    if (topLine() !== line) throw new Error('Line ' + line + ' did not stay');
    if (box.scrollTop !== to) bySelf++;
  }
  return { passed: line - began, line, bySelf };
}`;

interface Read {
  passed: number;
  line: number;
  bySelf: number;
}

export async function read(page: Page, by: number, times: number): Promise<Read> {
  return (await page.evaluate(`(${readOn})(${JSON.stringify({ by, times })})`)) as Read;
}
