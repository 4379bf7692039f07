import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { openConsole } from './console.ts';
import { drawn, logOf, read, writeLines } from './log-lines.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

/** SHIPLOG_TEST_LOG_LINES=1000000: as long as logs get; writing it takes a minute. */
const LONG = Number(process.env.SHIPLOG_TEST_LOG_LINES ?? 100_000);

describeOnEngines('a long log', (engine) => {
  // At least twice what is kept in the page.
  const LINES = engine.name === 'sqlite' ? LONG : 12_000;
  let shiplog: HttpFixture;
  beforeAll(
    async () => {
      shiplog = await startHttpFixture({ store: await engine.open() });
      await writeLines(shiplog.ingest, 'long', 0, LINES);
    },
    60_000 + LONG / 5,
  );
  afterAll(() => shiplog.close());

  it('opens at its end, and goes to its beginning, any place and its end again', async () => {
    const { page, problems } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1');
    const log = logOf(page);
    await log.getByText(`line ${LINES - 1}`, { exact: true }).waitFor();
    await page.getByText(`~ ${LINES.toLocaleString('en')} lines`, { exact: true }).waitFor();
    await log.focus();
    await page.keyboard.press('Home');
    await log.getByText('line 0', { exact: true }).waitFor();
    await log.evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }));
    await expect
      .poll(async () => {
        const [first = ''] = await drawn(page);
        // By when lines were written, and with some that are drawn above what is seen; beyond 600,000
        // lines a row of the scroll bar is more than one.
        return (
          Math.abs(Number(first.split(' ')[1]) - LINES / 2) < (LINES > 600_000 ? LINES / 2_000 : 40)
        );
      })
      .toBe(true);
    await page.keyboard.press('End');
    await log.getByText(`line ${LINES - 1}`, { exact: true }).waitFor();
    expect((await drawn(page)).length).toBeLessThan(120);
    expect(problems).toEqual([]);
    await page.close();
  });

  it.for([
    ['scrolls', undefined],
    ['scrolls, also in a browser that cannot scroll so many rows', LINES * 0.8 * 20],
  ] as const)(
    'reads on without a hole, a repetition or a jump where one %s',
    async ([, scrollMax]) => {
      const options = scrollMax === undefined ? {} : { scrollMax };
      const path = '/tasks/long?host=web-1';
      const { page } = await openConsole(browser, shiplog.url, path, options);
      const log = logOf(page);
      await log.getByText(`line ${LINES - 1}`, { exact: true }).waitFor();
      await page.getByText(`~ ${LINES.toLocaleString('en')} lines`, { exact: true }).waitFor();
      // Beyond what is kept, and back: the scroll bar, too, moves only as far as one scrolls.
      expect(await read(page, -20, 15)).toMatchObject({ passed: -300, bySelf: 0 });
      expect(await read(page, -300, 22)).toMatchObject({ passed: -6_600, bySelf: 0 });
      expect(await read(page, 300, 5)).toMatchObject({ passed: 1_500, bySelf: 0 });
      // From places near the beginning and the end up to them.
      await log.evaluate((box) => box.scrollTo({ top: 1_200 * 20 }));
      expect(await read(page, -200, 15)).toMatchObject({ line: 0 });
      await log.evaluate((box) => box.scrollTo({ top: box.scrollHeight - 1_200 * 20 }));
      expect(await read(page, 200, 15)).toMatchObject({ line: LINES - 34 });
      await page.close();
    },
  );

  it('searches on the server, and goes from match to match by n and N', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1');
    const log = logOf(page);
    await log.getByText(`line ${LINES - 1}`, { exact: true }).waitFor();
    await page.getByRole('searchbox', { name: 'Search this log' }).fill('odd');
    const current = log.locator('[aria-current="true"]');
    await current.getByText('line 500 is odd').waitFor();
    await page.getByText(`1 of ${(LINES / 1_000).toLocaleString('en')}`, { exact: true }).waitFor();
    await log.focus();
    await page.keyboard.press('n');
    await current.getByText('line 1500 is odd').waitFor();
    await page.keyboard.press('Shift+N');
    await page.keyboard.press('Shift+N');
    await current.getByText(`line ${LINES - 500} is odd`).waitFor();
    // With what is around it, and the word marked.
    await log.getByText(`line ${LINES - 501}`, { exact: true }).waitFor();
    expect(await current.locator('mark').allTextContents()).toEqual(['odd']);
    await page.close();
  });

  it('follows, pauses where one scrolls up and says how much is new, and resumes', async () => {
    await writeLines(shiplog.ingest, 'grows', 0, 500);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/grows?host=web-1');
    const log = logOf(page);
    const follow = page.getByRole('button', { name: 'Follow' });
    await log.getByText('line 499', { exact: true }).waitFor();
    expect(await follow.getAttribute('aria-pressed')).toBe('true');
    await writeLines(shiplog.ingest, 'grows', 500, 600);
    await log.getByText('line 599', { exact: true }).waitFor();
    await log.hover();
    await page.mouse.wheel(0, -2_000);
    await expect.poll(() => follow.getAttribute('aria-pressed')).toBe('false');
    const before = await drawn(page);
    await writeLines(shiplog.ingest, 'grows', 600, 700);
    await page.getByText('700 lines', { exact: true }).waitFor();
    // What is read stays where it is.
    expect(await drawn(page)).toEqual(before);
    await follow.click();
    await log.getByText('line 699', { exact: true }).waitFor();
    await page.keyboard.press('f');
    expect(await follow.getAttribute('aria-pressed')).toBe('false');
    await page.close();
  });
});
