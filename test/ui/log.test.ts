import { readFile } from 'node:fs/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ingest } from '../../src/ingest/ingest.ts';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { openConsole } from './console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const BEGAN = Date.parse('2026-03-01T10:00:00Z');

/** Lines `line 0` … of one host, 2 ms apart; each 1,000th of them is a WARN with the word odd. */
async function writeLines(ingest: Ingest, taskId: string, from: number, to: number): Promise<void> {
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

function logOf(page: Page): Locator {
  return page.getByRole('log', { name: 'Log' });
}

/** Texts of the lines that are drawn. */
function drawn(page: Page): Promise<string[]> {
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

async function read(page: Page, by: number, times: number): Promise<Read> {
  return (await page.evaluate(`(${readOn})(${JSON.stringify({ by, times })})`)) as Read;
}

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

describe('a log, for whoever reads it', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    await writeLines(shiplog.ingest, 'long', 0, 10_000);
  });
  afterAll(() => shiplog.close());

  it('is left by scrolling up, however fast its lines come', async () => {
    await writeLines(shiplog.ingest, 'fast', 0, 200);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/fast?host=web-1');
    const log = logOf(page);
    const follow = page.getByRole('button', { name: 'Follow' });
    await log.getByText('line 199', { exact: true }).waitFor();
    let writing = true;
    const written = (async () => {
      for (let at = 200; writing; at++) await writeLines(shiplog.ingest, 'fast', at, at + 1);
    })();
    try {
      for (let round = 0; round < 8; round++) {
        await expect.poll(() => follow.getAttribute('aria-pressed')).toBe('true');
        // At some moment between two batches of lines.
        const left = await log.evaluate(async (box, pause) => {
          await new Promise((resolve) => setTimeout(resolve, pause));
          box.scrollTop -= 400;
          const to = box.scrollTop;
          for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
          return box.scrollTop === to;
        }, 10 * round);
        expect(left).toBe(true);
        expect(await follow.getAttribute('aria-pressed')).toBe('false');
        await follow.click();
      }
    } finally {
      writing = false;
      await written;
    }
    await page.close();
  });

  it('stays where one reads while thousands of lines come, and has no hole above or below', async () => {
    const count = { written: 0 };
    const writeTo = async (line: number) => {
      await writeLines(shiplog.ingest, 'flood', count.written, line);
      count.written = line;
    };
    await writeTo(600);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/flood?host=web-1');
    const log = logOf(page);
    // More than the page keeps, all of it live.
    for (let line = 1_000; line <= 8_000; line += 1_000) {
      await writeTo(line);
      await log.getByText(`line ${line - 1}`, { exact: true }).waitFor();
    }
    expect(await read(page, -300, 10)).toMatchObject({ passed: -3_000, bySelf: 0 });
    const before = await drawn(page);
    await writeTo(13_000);
    await page.getByText(/^(~ )?13,000 lines$/).waitFor();
    expect(await drawn(page)).toEqual(before);
    // Up beyond what was kept while more comes, and down to the end.
    const more = writeTo(16_000);
    expect(await read(page, -300, 12)).toMatchObject({ passed: -3_600 });
    await more;
    const down = await read(page, 300, 60);
    expect(down.line).toBe(16_000 - 34);
    await page.close();
  });

  it('goes on where it is tried again, whatever failed before', async () => {
    await writeLines(shiplog.ingest, 'again', 0, 2_000);
    const refusal = { payload: [{ message: 'told off', extensions: { code: 'FORBIDDEN' } }] };
    let told: 'all' | 'refused' = 'all';
    const { page } = await openConsole(browser, shiplog.url, '/tasks/again?host=web-1', {
      told: (text) => {
        if (told === 'all' || !text.includes('"tail":')) return text;
        told = 'all';
        return JSON.stringify({ id: JSON.parse(text).id, type: 'error', ...refusal });
      },
    });
    const log = logOf(page);
    const problem = page.getByRole('alert');
    const again = page.getByRole('button', { name: 'Try again' });
    await log.getByText('line 1999', { exact: true }).waitFor();
    await page.route(/\/graphql$/, (route) =>
      route.request().postData()?.includes('query LogPage') ? route.abort() : route.fallback(),
    );
    await log.evaluate((box) => {
      box.scrollTop -= 380 * 20;
    });
    await problem.waitFor();
    await page.unroute(/\/graphql$/);
    await again.click();
    await problem.waitFor({ state: 'detached' });
    expect(await read(page, -100, 5)).toMatchObject({ passed: -500 });
    await page.getByRole('button', { name: 'Follow' }).click();
    await log.getByText('line 1999', { exact: true }).waitFor();
    told = 'refused';
    await writeLines(shiplog.ingest, 'again', 2_000, 2_010);
    await problem.getByText('told off').waitFor();
    await again.click();
    await log.getByText('line 2009', { exact: true }).waitFor();
    await writeLines(shiplog.ingest, 'again', 2_010, 2_020);
    await log.getByText('line 2019', { exact: true }).waitFor();
    await page.close();
  });

  it('keeps nothing of how the page was when its lines came, however slowly they come', async () => {
    await writeLines(shiplog.ingest, 'slow', 0, 100);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/slow?host=web-1');
    const log = logOf(page);
    await log.getByText('line 99', { exact: true }).waitFor();
    const before = await elementsKept(page);
    for (let line = 100; line < 130; line++) {
      await writeLines(shiplog.ingest, 'slow', line, line + 1);
      await log.getByText(`line ${line}`, { exact: true }).waitFor();
    }
    // What was drawn last may be there a moment longer; thirty drawings would be more than twice as much.
    await expect.poll(() => elementsKept(page), { timeout: 10_000 }).toBeLessThan(1.5 * before);
    await page.close();
  });

  it('holds no more of long lines than of many, and reads on through them without a hole', async () => {
    const tail = ` ${'of a dump '.repeat(600)}`;
    for (let from = 0; from < 1_200; from += 100) {
      const inputs = Array.from({ length: 100 }, (_, at) => ({
        taskId: 'heavy',
        host: 'web-1',
        step: 'unpack',
        at: BEGAN + (from + at) * 2,
        message: `line ${from + at}${tail}`,
      }));
      await shiplog.ingest.logSteps(inputs);
    }
    const { page } = await openConsole(browser, shiplog.url, '/tasks/heavy?host=web-1');
    await logOf(page)
      .getByText(/^line 1199 /)
      .waitFor();
    const up = await read(page, -100, 12);
    expect(up).toMatchObject({ line: 0 });
    await expect.poll(() => linesKept(page), { timeout: 10_000 }).toBeLessThan(1_000);
    const down = await read(page, 100, 12);
    expect(down).toMatchObject({ passed: -up.passed });
    await page.close();
  });

  it('says how many lines there are also where some come while they are counted', async () => {
    await writeLines(shiplog.ingest, 'counted', 0, 500);
    const { page } = await openConsole(browser, shiplog.url);
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
    await page.route('**/graphql', async (route) => {
      const isCount = route.request().postData()?.includes('query LogSpread') === true;
      const response = isCount ? await route.fetch() : null;
      if (response === null) return route.continue();
      await mayAnswer;
      return route.fulfill({ response });
    });
    await page.goto(`${shiplog.url}/tasks/counted?host=web-1`);
    const log = logOf(page);
    await log.getByText('line 499', { exact: true }).waitFor();
    await writeLines(shiplog.ingest, 'counted', 500, 600);
    await log.getByText('line 599', { exact: true }).waitFor();
    answer();
    await page.getByText('600 lines', { exact: true }).waitFor();
    await page.close();
  });

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

  it('counts what comes behind the place that is shown, without reading it', async () => {
    await writeLines(shiplog.ingest, 'behind', 0, 3_000);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/behind?host=web-1');
    const log = logOf(page);
    await log.getByText('line 2999', { exact: true }).waitFor();
    await log.focus();
    await page.keyboard.press('Home');
    await log.getByText('line 0', { exact: true }).waitFor();
    await writeLines(shiplog.ingest, 'behind', 3_000, 3_200);
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

/** How many objects with these names the page holds after a collection. */
async function kept(page: Page, names: readonly string[]): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const { result } = await session.send('Runtime.evaluate', { expression: 'Object.prototype' });
  const { objects } = await session.send('Runtime.queryObjects', {
    prototypeObjectId: result.objectId as string,
  });
  const count = await session.send('Runtime.callFunctionOn', {
    objectId: objects.objectId as string,
    functionDeclaration: `function (names) {
      return this.filter((one) => names.every((name) => Object.hasOwn(one, name))).length;
    }`,
    arguments: [{ value: names }],
    returnByValue: true,
  });
  await session.detach();
  return count.result.value as number;
}

/** Elements as Preact has them written down, drawn or not. */
const elementsKept = (page: Page) => kept(page, ['type', 'props', 'key', 'ref', 'constructor']);
const linesKept = (page: Page) => kept(page, ['event', 'cursor', 'afterGap']);

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
