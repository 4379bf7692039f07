import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { openConsole } from './console.ts';

let shiplog: HttpFixture;
let browser: Browser;
beforeAll(async () => {
  [shiplog, browser] = await Promise.all([startHttpFixture(), startBrowser()]);
  await shiplog.ingest.startTask({ id: 'shop-1', plan: ['only'], hosts: ['a'] });
});
afterAll(async () => {
  await browser.close();
  await shiplog.close();
});

/** Runs in the page: whether what stands in for something is seen so many milliseconds after it came. */
const seenAt = `(ms) => {
  const shapes = [...document.querySelectorAll('.skeleton')].at(-1);
  for (const animation of shapes.getAnimations()) {
    animation.pause();
    animation.currentTime = ms;
  }
  return getComputedStyle(shapes).visibility === 'visible' && shapes.clientHeight > 20;
}`;

describe('a view that is not answered yet', () => {
  it.each([
    '/',
    '/tasks/shop-1',
    '/tasks/shop-1?host=a',
    '/search',
    '/steps',
    '/hosts',
    '/hosts/a',
  ])('shows after 150 ms that something will be there, not before: %s', async (path) => {
    const options = { unanswered: true };
    const { page, problems } = await openConsole(browser, shiplog.url, path, options);
    await page.locator('h1').waitFor();
    await page.locator('.skeleton').last().waitFor({ state: 'attached' });
    expect(await page.evaluate(`(${seenAt})(149)`)).toBe(false);
    expect(await page.evaluate(`(${seenAt})(150)`)).toBe(true);
    // Nothing is said to be missing of which nothing is known.
    for (const text of ['Nothing', 'No deployment', 'not part of', 'No host']) {
      expect(await page.getByText(text).count(), text).toBe(0);
    }
    await page.unrouteAll();
    expect(problems).toEqual([]);
    await page.close();
  });

  it('shows what is there once it is answered, and nothing in its place', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/shop-1?host=a');
    await page.getByRole('complementary', { name: 'a' }).getByText('PENDING').first().waitFor();
    await page.getByText('of 1 host', { exact: true }).waitFor();
    await expect.poll(() => page.locator('.skeleton').count()).toBe(0);
    await page.close();
  });
});
