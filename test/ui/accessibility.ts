/** What axe finds in a page, and whether it fits a phone. */
import AxeBuilder from 'axe-core';
import type { Page } from 'playwright-core';

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

/** What can be another in the dark. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** Serious or worse in light and in dark, one line for each rule. */
export async function seriousProblems(page: Page): Promise<string[]> {
  await page.evaluate(AxeBuilder.source);
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await violations(page, {});
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await violations(page, { runOnly: OF_COLOURS });
  return [...light, ...dark.map((line) => `in the dark: ${line}`)];
}

async function violations(page: Page, options: object): Promise<string[]> {
  const asked = JSON.stringify({ ...options, resultTypes: ['violations'] });
  const found = (await page.evaluate(`axe.run(${asked})`)) as { violations: Violation[] };
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** Pixels by which the page is wider than a phone: it would scroll sideways. */
export async function overflowOnPhone(page: Page): Promise<number> {
  await page.setViewportSize({ width: 360, height: 740 });
  return page.evaluate('document.documentElement.scrollWidth - innerWidth');
}
