import { readFile } from 'node:fs/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { openConsole } from './console.ts';

let shiplog: HttpFixture;
let browser: Browser;
beforeAll(async () => {
  [shiplog, browser] = await Promise.all([startHttpFixture(), startBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await shiplog.close();
});

const BEGAN = Date.parse('2026-03-01T10:00:00Z');

/** Lines `line 0` … of one host, 2 ms apart; each 1,000th of them is a WARN with the word odd. */
async function writeLines(taskId: string, from: number, to: number): Promise<void> {
  for (let begin = from; begin < to; begin += 1_000) {
    const count = Math.min(1_000, to - begin);
    await shiplog.ingest.logSteps(
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

function logOf(page: Page): Locator {
  return page.getByRole('log', { name: 'Log' });
}

/** Texts of the lines that are drawn. */
function drawn(page: Page): Promise<string[]> {
  return logOf(page).locator('.log-text').allTextContents();
}

describe('a log of 100,000 lines', () => {
  const LINES = 100_000;
  beforeAll(() => writeLines('long', 0, LINES), 60_000);

  it('opens at its end, and goes to its beginning, any place and its end again', async () => {
    const { page, problems } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1');
    const log = logOf(page);
    await log.getByText(`line ${LINES - 1}`, { exact: true }).waitFor();
    await page.getByText('100,000 lines').waitFor();
    await log.focus();
    await page.keyboard.press('Home');
    await log.getByText('line 0', { exact: true }).waitFor();
    await log.evaluate((box) => box.scrollTo({ top: box.scrollHeight / 2 }));
    await expect
      .poll(async () => {
        const [first = ''] = await drawn(page);
        return Math.abs(Number(first.split(' ')[1]) - LINES / 2) < LINES / 100;
      })
      .toBe(true);
    await page.keyboard.press('End');
    await log.getByText(`line ${LINES - 1}`, { exact: true }).waitFor();
    expect((await drawn(page)).length).toBeLessThan(120);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('reads on without a hole or a repetition where one scrolls', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1');
    const log = logOf(page);
    await log.getByText(`line ${LINES - 1}`, { exact: true }).waitFor();
    const numberOf = (text: string): number => Number(text.split(' ')[1]);
    const seen = new Set((await drawn(page)).map(numberOf));
    for (let step = 0; step < 40; step++) {
      await log.evaluate((box) => box.scrollBy({ top: -400 }));
      // What is scrolled to is drawn in the next frame.
      await page.evaluate(
        'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))',
      );
      await log.locator('.log-empty').first().waitFor({ state: 'detached' });
      const numbers = (await drawn(page)).map(numberOf);
      expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] as number) + at));
      for (const number of numbers) seen.add(number);
    }
    expect(seen.size).toBe(LINES - Math.min(...seen));
    expect(seen.size).toBeGreaterThan(800);
    await page.close();
  });

  it('searches on the server, and goes from match to match by n and N', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1');
    const log = logOf(page);
    await log.getByText(`line ${LINES - 1}`, { exact: true }).waitFor();
    await page.getByRole('searchbox', { name: 'Search this log' }).fill('odd');
    const current = log.locator('[aria-current="true"]');
    await current.getByText('line 500 is odd').waitFor();
    await page.getByText('1 of 100', { exact: true }).waitFor();
    await log.focus();
    await page.keyboard.press('n');
    await current.getByText('line 1500 is odd').waitFor();
    await page.keyboard.press('Shift+N');
    await page.keyboard.press('Shift+N');
    await current.getByText('line 99500 is odd').waitFor();
    // With what is around it, and the word marked.
    await log.getByText('line 99499', { exact: true }).waitFor();
    expect(await current.locator('mark').allTextContents()).toEqual(['odd']);
    await page.close();
  });

  it('is narrowed by level and step, and shows what is around a line again', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1&level=warn');
    const log = logOf(page);
    await log.getByText('line 99500 is odd').click();
    await page.getByText('100 lines', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show all lines' }).click();
    await log.getByText('line 99499', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Step' }).click();
    await page.getByRole('checkbox', { name: 'download' }).check();
    await page.getByText('50 lines', { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('step')).toBe('download');
    await page.close();
  });

  it('keeps a line, and a range of lines, in the address', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1');
    const log = logOf(page);
    await log.focus();
    await page.keyboard.press('Home');
    await log.getByText('line 3', { exact: true }).click();
    await expect.poll(() => new URL(page.url()).searchParams.has('line')).toBe(true);
    await log.getByText('line 6', { exact: true }).click({ modifiers: ['Shift'] });
    const current = log.locator('[aria-current="true"] .log-text');
    const range = ['line 3', 'line 4', 'line 5', 'line 6'];
    await expect.poll(() => current.allTextContents()).toEqual(range);
    await page.reload();
    await expect.poll(() => current.allTextContents()).toEqual(range);
    await log.focus();
    await page.keyboard.press('Shift+J');
    await expect.poll(() => current.allTextContents()).toEqual([...range, 'line 7']);
    await page.close();
  });

  it('is downloaded whole, each line with its time', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1&level=warn');
    await page.getByText('100 lines', { exact: true }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const file = await (await download).path();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(100);
    expect(lines[0]).toBe('2026-03-01T10:00:01.000Z web-1 unpack WARN line 500 is odd');
    await page.close();
  });
});

describe('a log that is being written', () => {
  it('follows, pauses where one scrolls up and says how much is new, and resumes', async () => {
    await writeLines('grows', 0, 500);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/grows?host=web-1');
    const log = logOf(page);
    const follow = page.getByRole('button', { name: 'Follow' });
    await log.getByText('line 499', { exact: true }).waitFor();
    expect(await follow.getAttribute('aria-pressed')).toBe('true');
    await writeLines('grows', 500, 600);
    await log.getByText('line 599', { exact: true }).waitFor();
    await log.hover();
    await page.mouse.wheel(0, -2_000);
    await expect.poll(() => follow.getAttribute('aria-pressed')).toBe('false');
    const before = await drawn(page);
    await writeLines('grows', 600, 700);
    await page.getByText('700 lines', { exact: true }).waitFor();
    // What is read stays where it is.
    expect(await drawn(page)).toEqual(before);
    await follow.click();
    await log.getByText('line 699', { exact: true }).waitFor();
    await page.keyboard.press('f');
    expect(await follow.getAttribute('aria-pressed')).toBe('false');
    await page.close();
  });

  it('counts what comes behind the place that is shown, without reading it', async () => {
    await writeLines('behind', 0, 3_000);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/behind?host=web-1');
    const log = logOf(page);
    await log.getByText('line 2999', { exact: true }).waitFor();
    await log.focus();
    await page.keyboard.press('Home');
    await log.getByText('line 0', { exact: true }).waitFor();
    await writeLines('behind', 3_000, 3_200);
    await page.getByText('paused · 200 new lines').waitFor();
    await page.keyboard.press('End');
    await log.getByText('line 3199', { exact: true }).waitFor();
    await page.close();
  });

  it('tells times in local time, in UTC, as an age and since the step began, and remembers it', async () => {
    await shiplog.ingest.logSteps([
      { taskId: 'times', host: 'a', step: 'only', status: 'RUNNING', at: BEGAN },
      { taskId: 'times', host: 'a', step: 'only', message: 'hello', at: BEGAN + 1_500 },
    ]);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/times?host=a');
    const time = logOf(page).locator('.log-line', { hasText: 'hello' }).locator('time');
    await time.waitFor();
    await page.getByRole('combobox', { name: 'Time' }).selectOption('utc');
    expect(await time.textContent()).toBe('10:00:01.500Z');
    await page.keyboard.press('Escape');
    await page.goto(`${shiplog.url}/tasks/times?host=a`);
    await expect.poll(() => time.textContent()).toBe('10:00:01.500Z');
    await page.keyboard.press('t');
    await expect.poll(() => time.textContent()).toMatch(/ ago$/);
    await page.keyboard.press('t');
    await expect.poll(() => time.textContent()).toBe('+1.500 s');
    await page.close();
  });
});
