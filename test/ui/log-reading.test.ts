import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { openConsole } from './console.ts';
import { BEGAN, logOf, writeLines } from './log-lines.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

describe('a log, for whoever reads it', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    await writeLines(shiplog.ingest, 'long', 0, 10_000);
  });
  afterAll(() => shiplog.close());

  it('is narrowed by level and step, and shows what is around a line again', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1&level=warn');
    const log = logOf(page);
    await log.getByText('line 9500 is odd').click();
    await page.getByText('10 lines', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show all lines' }).click();
    await log.getByText('line 9499', { exact: true }).waitFor();
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

  it('keeps the line of an address that also searches, and goes on from match to match', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1&q=odd');
    const log = logOf(page);
    const current = log.locator('[aria-current="true"] .log-text');
    const matches = page.getByRole('status', { name: 'Matches' });
    await current.getByText('line 500 is odd').waitFor();
    await log.getByText('line 503', { exact: true }).click();
    await expect.poll(() => current.allTextContents()).toEqual(['line 503']);
    await page.reload();
    await matches.getByText('– of 10').waitFor();
    expect(await current.allTextContents()).toEqual(['line 503']);
    await log.focus();
    await page.keyboard.press('n');
    await page.keyboard.press('n');
    await current.getByText('line 1500 is odd').waitFor();
    // A match is a line as one that was clicked: it is shared.
    await page.reload();
    await matches.getByText('2 of 10').waitFor();
    expect(await current.allTextContents()).toEqual(['line 1500 is odd']);
    await page.close();
  });

  it('opens as it does without one, and says so, where the address names a line that it has not', async () => {
    const { page } = await openConsole(
      browser,
      shiplog.url,
      '/tasks/long?host=web-1&line=nonsense',
    );
    const log = logOf(page);
    await page.getByText('The line that the address names is not in this log.').waitFor();
    await log.getByText('line 9999', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Follow', pressed: true }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await log.getByText('line 9998', { exact: true }).click();
    await page.getByText('The line that the address names').waitFor({ state: 'detached' });
    await page.close();
  });

  it('is downloaded whole, each line with its time', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1&level=warn');
    await page.getByText('10 lines', { exact: true }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const file = await (await download).path();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('2026-03-01T10:00:01.000Z web-1 unpack WARN line 500 is odd');
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
    expect(await time.textContent()).toBe('1 Mar 10:00:01.500Z');
    await page.keyboard.press('Escape');
    await page.goto(`${shiplog.url}/tasks/times?host=a`);
    await expect.poll(() => time.textContent()).toBe('1 Mar 10:00:01.500Z');
    await page.keyboard.press('t');
    await expect.poll(() => time.textContent()).toMatch(/ ago$/);
    await page.keyboard.press('t');
    await expect.poll(() => time.textContent()).toBe('+1.500 s');
    await page.close();
  });

  it('is copied as clean text over many lines, and as it was selected within one', async () => {
    await shiplog.ingest.logSteps([
      ...['first \u001b[31mred\u001b[0m', 'second\nof two', '10 %\r100 %'].map((message) => ({
        ...{ taskId: 'copied', host: 'a', step: 'only' },
        message,
      })),
    ]);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/copied?host=a');
    const log = logOf(page);
    await log.getByText('100 %', { exact: true }).waitFor();
    const copied = (from: string, to: string) => page.evaluate(copy(from, to));
    expect(await copied('first ', '100 %')).toBe('first red\nsecond\nof two\n100 %');
    // The browser's own copy is what is copied: nothing is put in its place.
    expect(await copied('red', 'red')).toBe('');
    // Without a selection of text it is the lines that were chosen.
    const row = (text: string) => log.locator('.log-line', { hasText: text });
    await page.evaluate('getSelection().removeAllRanges()');
    await row('second').click();
    await row('100 %').click({ modifiers: ['Shift'] });
    await expect.poll(() => log.locator('[aria-current="true"]').count()).toBe(2);
    await page.evaluate(`document.addEventListener('copy', (event) => {
      document.title = event.clipboardData.getData('text/plain');
    })`);
    await page.keyboard.press('Control+c');
    await expect.poll(() => page.title()).toBe('second of two 100 %');
    await page.close();
  });

  it('wraps long lines where it is asked to, remembers it, and finds its lines all the same', async () => {
    const long = Array.from({ length: 600 }, (_, at) => ({
      ...{ taskId: 'wide', host: 'a', step: 'only' },
      message: at % 3 === 0 ? `wide ${at} ${'word '.repeat(100)}` : `narrow ${at}`,
    }));
    await shiplog.ingest.logSteps(long);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/wide?host=a');
    const log = logOf(page);
    const row = (text: string) => log.locator('.log-line', { hasText: text });
    await page.getByText('600 lines', { exact: true }).waitFor();
    await row('wide 597').waitFor();
    const heightOf = async (text: string) => (await row(text).boundingBox())?.height ?? 0;
    expect(await heightOf('wide 597')).toBe(20);
    // What does not fit is read below the log.
    await row('wide 597').click();
    const whole = page.getByRole('region', { name: 'The selected line in full' });
    expect((await whole.textContent())?.trim()).toBe(`wide 597 ${'word '.repeat(100)}`.trim());
    await page.keyboard.press('w');
    await expect.poll(() => heightOf('wide 597')).toBeGreaterThan(40);
    await whole.waitFor({ state: 'detached' });
    expect(await heightOf('narrow 598')).toBe(20);
    expect(await log.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    const wrap = page.getByRole('button', { name: 'Wrap' });
    expect(await wrap.getAttribute('aria-pressed')).toBe('true');
    await page.keyboard.press('Home');
    await page.reload();
    await expect.poll(() => heightOf('wide 597')).toBeGreaterThan(40);
    await log.focus();
    await page.keyboard.press('Home');
    await row('wide 0 ').waitFor();
    await wrap.click();
    await expect.poll(() => heightOf('wide 0 ')).toBe(20);
    await page.close();
  });

  it('opens raw in a tab of its own, where the browser can search it', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1&level=warn');
    await page.getByText('10 lines', { exact: true }).waitFor();
    const [tab] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('button', { name: 'Raw' }).click(),
    ]);
    const text = async () => (await tab.locator('body').innerText()).trimEnd();
    const odd = Array.from({ length: 10 }, (_, at) => `line ${at * 1_000 + 500} is odd`);
    await expect.poll(text).toBe(odd.join('\n'));
    await page.close();
  });

  it('is printed as what was in sight, without blank pages for what was not', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/long?host=web-1');
    // Nothing is still to come that would be scrolled to.
    await page.getByText(/^~? ?10,000 lines$/).waitFor();
    await page.evaluate(
      'new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))',
    );
    await logOf(page).getByText('line 9999', { exact: true }).waitFor();
    await page.emulateMedia({ media: 'print' });
    const shown = (name: string) => page.getByRole('button', { name }).isVisible();
    for (const name of ['Follow', 'Download', 'Pause', 'Close'])
      expect(await shown(name)).toBe(false);
    await logOf(page).getByText('line 9999', { exact: true }).waitFor();
    await page.getByText('What was in sight of 10,000 lines').waitFor();
    const pdf = (await page.pdf()).toString('latin1');
    expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBeLessThan(6);
    await page.close();
  });

  it('draws as a gap what retention removed before it was told', async () => {
    await shiplog.ingest.logSteps([{ taskId: 'gap', host: 'a', step: 'only', message: 'old' }]);
    // Of one task a log is removed as a whole, so its tail hardly ever says so: put into what it says.
    const { page } = await openConsole(browser, shiplog.url, '/', {
      told: (text) =>
        text.includes('behind the gap')
          ? text.replace('"gap":null', '"gap":{"reason":"RETENTION"}')
          : text,
    });
    await page.goto(`${shiplog.url}/tasks/gap?host=a`);
    const log = logOf(page);
    await log.getByText('old', { exact: true }).waitFor();
    await page.getByRole('status', { name: 'Connection' }).getByText('live').waitFor();
    await shiplog.ingest.logSteps([
      { taskId: 'gap', host: 'a', step: 'only', message: 'behind the gap' },
    ]);
    const line = log.locator('.after-gap', { hasText: 'behind the gap' });
    await line.getByText('earlier lines were removed by retention').waitFor();
    await page.close();
  });
});

/** Runs in the page: what is put on the clipboard where this is selected, from text to text. */
function copy(from: string, to: string): string {
  return `(() => {
    const find = (text) => [...document.querySelectorAll('.log-text')]
      .flatMap((line) => [...line.querySelectorAll('span')])
      .find((piece) => piece.textContent.includes(text)).firstChild;
    const [first, last] = [find(${JSON.stringify(from)}), find(${JSON.stringify(to)})];
    getSelection().setBaseAndExtent(first, 0, last, last.textContent.length);
    const clipboardData = new DataTransfer();
    first.parentElement.dispatchEvent(
      new ClipboardEvent('copy', { clipboardData, bubbles: true, cancelable: true }),
    );
    return clipboardData.getData('text/plain');
  })()`;
}
