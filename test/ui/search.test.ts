import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { overflowOnPhone, seriousProblems } from './accessibility.ts';
import { openConsole, untilSteps } from './console.ts';

const HOUR = 3_600_000;
const HOSTILE_TASK = 'a/b?c=1&d#<img src=x onerror=alert(1)>';
const HOSTILE_HOST = '<b>web</b>';
const HOSTILE_TEXT =
  '<img src=x onerror="document.title=\'owned\'"> \u001b[31mkraken\u001b[0m \u202eevil ' +
  `<script>document.title='owned'</script> ${'long '.repeat(12_000)}`;

/** On a busy machine. */
const PATIENT = { timeout: 10_000 };

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function fill(shiplog: HttpFixture): Promise<void> {
  const { ingest } = shiplog;
  const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();
  const line = (taskId: string, host: string, message: string, more: object = {}) => ({
    taskId,
    host,
    step: 'start',
    message,
    ...more,
  });
  await ingest.startTask({ id: 'shop-1', service: 'shop', environment: 'production' });
  await ingest.startTask({ id: 'pay-1', service: 'pay', environment: 'staging' });
  const counted = Array.from({ length: 120 }, (_, at) =>
    line('shop-1', 'web-1', `counted number ${at}`, { at: ago(3 - at / 1_000) }),
  );
  await ingest.logSteps([
    line('shop-1', 'web-1', 'port 8080 is taken', { level: 'ERROR', at: ago(2.5) }),
    line('pay-1', 'pay-7', 'port 9090 is taken', { level: 'WARN', at: ago(0.7) }),
    line('pay-1', 'pay-7', 'an ancient mariner', { at: ago(60) }),
    line('sum-1', 'web-2', 'gave up', {
      status: 'FAILED',
      error: { code: 'E_SUM', message: 'checksum mismatch' },
      at: ago(0.1),
    }),
    {
      ...{ taskId: 'sum-1', host: 'web-3', step: 'start', status: 'FAILED', at: ago(0.1) },
      error: { message: 'no message but a checksum' },
    },
    line('sum-1', 'web-4', 'begins', { command: 'verify --checksum', at: ago(0.1) }),
    line(HOSTILE_TASK, HOSTILE_HOST, HOSTILE_TEXT),
    ...counted,
  ]);
  await untilSteps(shiplog, 6);
}

function rowsOf(page: Page) {
  return page.getByRole('table', { name: 'Results' }).locator('tbody tr');
}

describeOnEngines('the search across deployments', (engine) => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture({ store: await engine.open() });
    await fill(shiplog);
  });
  afterAll(() => shiplog.close());

  it('finds lines of all deployments, newest first, with what matched marked', async () => {
    const { page, foreign, problems } = await openConsole(browser, shiplog.url, '/search');
    await page.getByRole('searchbox').fill('port taken');
    await page.getByRole('status', { name: 'Found' }).getByText('2 lines').waitFor();
    const rows = rowsOf(page);
    expect(await rows.nth(0).textContent()).toContain('port 9090 is taken');
    expect(await rows.nth(1).textContent()).toContain('port 8080 is taken');
    expect(await rows.nth(1).locator('mark').allTextContents()).toEqual(['port', 'taken']);
    expect(new URL(page.url()).searchParams.get('q')).toBe('port taken');
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('marks what matched in the error or the command of a line, and shows them for it', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search?q=checksum');
    await page.getByRole('status', { name: 'Found' }).getByText('3 lines').waitFor();
    const marks = (text: string) =>
      rowsOf(page).filter({ hasText: text }).locator('mark').allTextContents();
    expect(await marks('gave up')).toEqual(['checksum']);
    await rowsOf(page).getByText('error E_SUM: checksum mismatch').waitFor();
    expect(await marks('start failed: no message but a checksum')).toEqual(['checksum']);
    expect(await marks('command verify --checksum')).toEqual(['checksum']);
    // Where the message matches and the error does not, the error is not in the way.
    await page.getByRole('searchbox').fill('gave');
    await page
      .getByRole('status', { name: 'Found' })
      .getByText('1 line', { exact: true })
      .waitFor();
    expect(await rowsOf(page).getByText('mismatch').count()).toBe(0);
    await page.close();
  });

  it('leads from a line to its place in the log of its deployment, and back', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search?q=%22port+8080%22');
    await rowsOf(page).getByRole('link', { name: 'port 8080 is taken' }).click();
    const drawer = page.getByRole('complementary', { name: 'web-1' });
    const selected = drawer.getByRole('log', { name: 'Log' }).locator('[aria-current="true"]');
    await selected.getByText('port 8080 is taken').waitFor();
    await page.goBack();
    await rowsOf(page).getByText('8080').first().waitFor();
    await page.close();
  });

  it('opens a line in a tab of its own at that very line', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search?q=%22number+57%22');
    const link = rowsOf(page).getByRole('link', { name: 'counted number 57' });
    const href = (await link.getAttribute('href')) ?? expect.fail();
    // What the console leaves to the browser is not let through: in a tab that a click opens behind
    // the others, a headless Chromium does not always end what it begins.
    await page.evaluate(`addEventListener('click', (event) => {
      globalThis.isLeft = !event.defaultPrevented;
      event.preventDefault();
    })`);
    await link.click({ modifiers: ['ControlOrMeta'] });
    expect(await page.evaluate('isLeft')).toBe(true);
    expect(new URL(page.url()).pathname).toBe('/search');
    const { page: tab } = await openConsole(browser, shiplog.url, href);
    const current = tab.getByRole('log', { name: 'Log' }).locator('[aria-current="true"]');
    const text = () => current.locator('.log-text').allTextContents();
    await expect.poll(text, PATIENT).toEqual(['counted number 57']);
    // The address names it as the log does: it can be sent on, and reloaded.
    await tab.reload();
    await expect.poll(text, PATIENT).toEqual(['counted number 57']);
    await tab.close();
    await page.close();
  });

  it('shows hostile text, names and ids as text, and its links lead there', async () => {
    const { page, foreign, problems } = await openConsole(browser, shiplog.url, '/search?q=kraken');
    const row = rowsOf(page).first();
    await row.locator('mark').getByText('kraken').waitFor();
    const text = (await row.textContent()) ?? '';
    expect(text).toContain('<img src=x onerror=');
    expect(text).toContain(HOSTILE_HOST);
    for (const control of ['\u001b', '\u202e']) expect(text).not.toContain(control);
    expect(text.length).toBeLessThan(1_000);
    expect(await row.locator('img, script, b').count()).toBe(0);
    await row.getByRole('link', { name: HOSTILE_TASK, exact: true }).click();
    await page.getByRole('heading', { name: HOSTILE_TASK, level: 1 }).waitFor();
    expect(await page.title()).not.toBe('owned');
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('is narrowed by facets that the address remembers', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search?q=taken');
    await expect.poll(() => rowsOf(page).count(), PATIENT).toBe(2);
    await page.getByRole('button', { name: 'Service' }).click();
    await page.getByRole('checkbox', { name: 'pay' }).check();
    await expect.poll(() => rowsOf(page).count(), PATIENT).toBe(1);
    await page.reload();
    await rowsOf(page).getByText('9090').waitFor();
    expect(await rowsOf(page).count()).toBe(1);
    await page.getByRole('button', { name: 'Level' }).click();
    await page.getByRole('checkbox', { name: 'ERROR' }).check();
    await page.getByText('Nothing found in the last 24 h').waitFor();
    await page.close();
  });

  it('turns to older lines and back to newer ones, and a page survives a reload', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search?q=counted');
    const top = async () => (await rowsOf(page).first().textContent()) ?? '';
    await expect.poll(top, PATIENT).toContain('number 119');
    expect(await page.getByRole('button', { name: 'Newer' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Older' }).click();
    await expect.poll(top, PATIENT).toContain('number 69');
    await page.reload();
    await expect.poll(top, PATIENT).toContain('number 69');
    await page.getByRole('button', { name: 'Older' }).click();
    await expect.poll(top, PATIENT).toContain('number 19');
    expect(await rowsOf(page).count()).toBe(20);
    await page.getByRole('button', { name: 'Newer' }).click();
    await expect.poll(top, PATIENT).toContain('number 69');
    await page.close();
  });

  it('begins at the first page again where what is looked for changes on a later one', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search');
    await page.getByRole('button', { name: 'Older' }).click();
    await rowsOf(page).getByText('port 9090 is taken').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Level' }).click();
    await page.getByRole('checkbox', { name: 'WARN' }).check();
    await rowsOf(page).getByText('port 9090 is taken').waitFor();
    expect(await page.getByRole('button', { name: 'First page' }).count()).toBe(0);
    expect(new URL(page.url()).search).toBe('?level=WARN');
    await page.close();
  });

  it('draws lines over time, and a stretch that is dragged over becomes the range', async () => {
    const { page, problems } = await openConsole(browser, shiplog.url, '/search?q=taken');
    await expect.poll(() => rowsOf(page).count(), PATIENT).toBe(2);
    const chart = page.locator('.histogram .u-over');
    await chart.waitFor();
    const box = await chart.boundingBox();
    if (box === null) throw new Error('The chart has no place');
    // Some one and a half hours at the end of a day.
    await page.mouse.move(box.x + box.width * 0.94, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 1, box.y + 10, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => rowsOf(page).count(), PATIENT).toBe(1);
    const { searchParams } = new URL(page.url());
    const [from, to] = [searchParams.get('from') ?? '', searchParams.get('to') ?? ''];
    expect(Date.parse(to) - Date.parse(from)).toBeGreaterThan(HOUR / 2);
    expect(Date.parse(to) - Date.parse(from)).toBeLessThanOrEqual(2 * HOUR);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('says the same in a table, whose intervals are ranges too', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search?q=taken');
    await page.getByText('As a table').click();
    const table = page.getByRole('table', { name: 'Lines over time' });
    const cells = await table.locator('tbody tr').first().getByRole('cell').allTextContents();
    expect(cells.slice(1)).toEqual(['1', '0', '1']);
    await table.locator('tbody').getByRole('button').first().click();
    await expect.poll(() => rowsOf(page).count(), PATIENT).toBe(1);
    await rowsOf(page).getByText('8080').waitFor();
    await page.close();
  });
});

describe('the search across deployments, for whoever looks at it', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    await fill(shiplog);
  });
  afterAll(() => shiplog.close());

  it('points at the column of a search that it does not understand', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search');
    const box = page.getByRole('searchbox');
    await box.fill('port "taken');
    await page.getByRole('alert').getByText('column 6').waitFor();
    expect(await box.getAttribute('aria-invalid')).toBe('true');
    expect(await page.locator('.search-column mark').textContent()).toBe('"');
    await box.fill('port "taken"');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.close();
  });

  it('offers to look further back where nothing is found', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search?q=mariner');
    await page.getByText('Nothing found in the last 24 h').waitFor();
    await page.getByRole('button', { name: 'Look further back: last 7 days' }).click();
    await rowsOf(page).getByText('an ancient').waitFor();
    expect(new URL(page.url()).searchParams.get('last')).toBe('7d');
    await page.close();
  });

  it('has nothing serious for axe, and fits a phone', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/search?last=7d');
    await rowsOf(page).first().waitFor();
    await page.locator('.histogram .u-over').waitFor();
    expect(await seriousProblems(page)).toEqual([]);
    expect(await overflowOnPhone(page)).toBeLessThanOrEqual(0);
    expect(await seriousProblems(page)).toEqual([]);
    await page.close();
  });
});
