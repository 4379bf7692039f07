import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { openConsole } from './console.ts';
import { BEGAN, drawn, logOf, read, writeLines } from './log-lines.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

describe('a log that goes on', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
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
