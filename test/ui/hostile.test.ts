import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { overflowOnPhone } from './accessibility.ts';
import { openConsole } from './console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const HTML = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
const OVERRIDE = 'user \u202Egnp.exe\u202C is \u2066safe\u2069';
const LONG = `${'x'.repeat(65_000)} the end`;

describeOnEngines('what was not meant well', (engine) => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture({ store: await engine.open() });
  });
  afterAll(() => shiplog.close());

  it('is shown as the text that it is, wherever it stands', async () => {
    const host = '<b>web</b>&"\'';
    const taskId = 'a/../b?c#d%2F<i>\u202E☃';
    const step = '"><svg onload=alert(1)>';
    const line = (message: string) => ({ taskId, host, step, message });
    await shiplog.ingest.startTask({ id: taskId, title: HTML, service: HTML, hosts: [host] });
    await shiplog.ingest.logSteps([
      line(HTML),
      line(OVERRIDE),
      line('\u001b[31mred\u001b[0m \u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007 plain'),
      line('10 %\r50 %\r100 %'),
      line(LONG),
      { ...line(HTML), status: 'FAILED', command: HTML, error: { message: HTML } },
    ]);
    const { page, problems, foreign } = await openConsole(browser, shiplog.url);
    await page.getByRole('link', { name: taskId }).click();
    await page.getByRole('heading', { name: taskId }).waitFor();
    await page.getByRole('region', { name: 'Failures' }).getByRole('link', { name: host }).click();
    const log = page.getByRole('log', { name: 'Log' });
    await log.getByText(HTML).first().waitFor();
    expect(await page.locator('main img, main script, .log svg').count()).toBe(0);
    await log.getByText('user gnp.exe is safe', { exact: true }).waitFor();
    const red = log.locator('.fg-ansi-red');
    expect(await red.allTextContents()).toEqual(['red']);
    expect(await log.locator('a').count()).toBe(0);
    await log.getByText('link plain').waitFor();
    await log.getByText('100 %', { exact: true }).waitFor();
    const long = log.locator('.log-line', { hasText: 'more characters' });
    await long.click();
    await page.getByRole('region', { name: 'The selected line in full' }).waitFor();
    expect(await page.locator('.long-line').textContent()).toBe(LONG);
    // The address leads here again.
    await page.reload();
    await page.getByRole('heading', { name: taskId }).waitFor();
    await log.locator('[aria-current="true"]').getByText('more characters').waitFor();
    expect(await page.title()).toContain('Shiplog');
    expect(problems).toEqual([]);
    expect(foreign).toEqual([]);
    await page.close();
  });

  it.each(['.', '..'])(
    'is opened though it is called %s, and so is its deployment',
    async (name) => {
      await shiplog.ingest.startTask({ id: name, hosts: [name] });
      await shiplog.ingest.logSteps([
        { taskId: name, host: name, step: 'pull', message: 'it began' },
      ]);
      const { page, problems } = await openConsole(browser, shiplog.url);
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { name, exact: true }).waitFor();
      await page.goto(`${shiplog.url}/hosts?sort=name`);
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { name, exact: true }).waitFor();
      // The address leads here again.
      await page.reload();
      await page.getByRole('heading', { name, exact: true }).waitFor();
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('log', { name: 'Log' }).getByText('it began').waitFor();
      expect(problems).toEqual([]);
      await page.close();
    },
  );

  it('turns and stretches nothing beside it, and shows no codes of terminals', async () => {
    const long = 'a-name-without-an-end-'.repeat(11);
    const id = `turned-${long}`.slice(0, 250);
    const step = long.slice(0, 120);
    const host = long.slice(0, 240);
    const said = { service: `\u202E${long.slice(0, 150)}`, version: long.slice(0, 100) };
    await shiplog.ingest.startTask({
      ...{ id, title: `\u202E${'a title '.repeat(100)}`, createdBy: `\u202E${long.slice(0, 60)}` },
      ...{ ...said, environment: long.slice(0, 100), plan: [step], hosts: [host] },
    });
    await shiplog.ingest.logSteps([
      {
        ...{ taskId: id, host, step, status: 'FAILED', command: `echo ${long}` },
        error: { message: `\u001b[31m\u202Egnp.exe${'nospace'.repeat(300)}\u001b[0m` },
      },
    ]);
    const { page, problems } = await openConsole(browser, shiplog.url);
    const wide = 'document.documentElement.scrollWidth - innerWidth';
    const task = page.getByRole('link', { name: id });
    await task.waitFor();
    expect(await page.evaluate(wide)).toBe(0);
    expect((await page.getByRole('row').filter({ has: task }).boundingBox())?.height).toBeLessThan(
      400,
    );
    await page.setViewportSize({ width: 920, height: 860 });
    expect(await page.evaluate(wide)).toBe(0);
    expect(await overflowOnPhone(page)).toBe(0);
    await task.click();
    const failures = page.getByRole('region', { name: 'Failures' });
    await failures.getByRole('link', { name: host }).waitFor();
    const grid = page.getByRole('grid').getByRole('row').nth(1);
    await grid.getByText('gnp.exe').waitFor();
    const texts = await page
      .locator('main :is(.deployment-head p, .cause-text, .board-note)')
      .allTextContents();
    for (const code of ['\u001b', '\u202E']) expect(texts.join()).not.toContain(code);
    expect(await overflowOnPhone(page)).toBe(0);
    await failures.getByRole('link', { name: host }).click();
    const drawer = page.getByRole('complementary', { name: host });
    await drawer.getByText('gnp.exe').first().waitFor();
    expect(await overflowOnPhone(page)).toBe(0);
    await page.setViewportSize({ width: 1_280, height: 860 });
    expect(await drawer.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('is an address that leads nowhere, and says so', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/%E0%A4%A/%00/x');
    await page.getByRole('heading', { name: 'Nothing is here' }).waitFor();
    await page.getByRole('link', { name: 'The deployments' }).click();
    await page.getByRole('heading', { name: 'Deployments' }).waitFor();
    await page.close();
  });
});
