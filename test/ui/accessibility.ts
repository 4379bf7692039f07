/** What axe finds in a page. */
import AxeBuilder from 'axe-core';
import type { Page } from 'playwright-core';

/** Serious or worse, one line for each rule. */
export async function seriousProblems(page: Page): Promise<string[]> {
  await page.evaluate(AxeBuilder.source);
  const found = (await page.evaluate('axe.run()')) as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** Pixels by which the page is wider than its window: a phone would scroll sideways. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth');
}
