import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { overflowOnPhone, seriousProblems } from './accessibility.ts';
import { openConsole, untilSteps } from './console.ts';

const DAY = 86_400_000;
const HOSTILE_STEP = '<i>step</i>';

/** On a busy machine. */
const PATIENT = { timeout: 10_000 };

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function fill(shiplog: HttpFixture): Promise<void> {
  await deployed(shiplog, 'shop-old', 'shop', 20, [1_000], 'disk is full');
  await deployed(shiplog, 'shop-1', 'shop', 3, [1_000, 2_000, 4_000], 'disk is full');
  await deployed(shiplog, 'shop-2', 'shop', 1, [1_500, 3_000], null);
  await deployed(shiplog, 'pay-1', 'pay', 1, [9_000], 'no such key: <u>x</u>');
  await untilSteps(shiplog, 10);
}

/** One host for each duration; a reason makes another host fail. */
async function deployed(
  { ingest }: HttpFixture,
  taskId: string,
  service: string,
  daysAgo: number,
  durationsMs: readonly number[],
  reason: string | null,
): Promise<void> {
  const at = new Date(Date.now() - daysAgo * DAY).toISOString();
  await ingest.startTask({ id: taskId, service, environment: 'production', at });
  const ended = (host: string, step: string, more: object) => ({ taskId, host, step, at, ...more });
  await ingest.logSteps([
    ...durationsMs.flatMap((durationMs, index) => [
      ended(`web-${index}`, 'download', { status: 'RUNNING' }),
      ended(`web-${index}`, 'download', { status: 'SUCCEEDED', durationMs }),
    ]),
    ...(reason === null
      ? []
      : [
          ended('web-9', HOSTILE_STEP, { status: 'RUNNING' }),
          ended('web-9', HOSTILE_STEP, { status: 'FAILED', error: { message: reason } }),
        ]),
  ]);
}

describeOnEngines('the steps across deployments', (engine) => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture({ store: await engine.open() });
    await fill(shiplog);
  });
  afterAll(() => shiplog.close());

  it('shows how long steps take and how often they fail, each with its chart', async () => {
    const { page, foreign, problems } = await openConsole(browser, shiplog.url, '/steps');
    const table = page.getByRole('table', { name: 'Durations and failures' });
    const row = table.getByRole('row').filter({ hasText: 'download' });
    await row.waitFor();
    // Of 1, 1.5, 2, 3, 4 and 9 seconds.
    expect(await row.getByRole('cell').allTextContents()).toEqual([
      'download',
      '6',
      '0',
      '0 %',
      '2.0 s',
      '9.0 s',
      '9.0 s',
    ]);
    const failing = table.getByRole('row').filter({ hasText: HOSTILE_STEP });
    expect((await failing.getByRole('cell').allTextContents()).slice(1, 4)).toEqual([
      '2',
      '2',
      '100 %',
    ]);
    // Durations and failures of each of two steps.
    await expect.poll(() => page.locator('.step-charts .u-over').count(), PATIENT).toBe(4);
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('says day by day in a table what the charts show', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/steps?service=shop&step=download');
    await page.getByText('As a table').click();
    const days = page.getByRole('table', { name: 'Day by day' }).locator('tbody tr');
    await expect.poll(() => days.count(), PATIENT).toBe(2);
    const cells = await days.nth(1).getByRole('cell').allTextContents();
    const day = new Date(Date.now() - 3 * DAY).toISOString().slice(0, 10);
    expect(cells).toEqual([day, 'download', '3', '0 (0 %)', '2.0 s', '4.0 s', '4.0 s']);
    await page.close();
  });

  it('compares services, and a step, a facet and a range stay in the address', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/steps');
    const services = page.getByRole('table', { name: 'By service' });
    const pay = services.getByRole('row').filter({ hasText: 'pay' });
    await pay.filter({ hasText: 'download' }).getByText('9.0 s').first().waitFor();
    await page.getByRole('button', { name: 'Service' }).click();
    await page.getByRole('checkbox', { name: 'pay' }).check();
    await services.waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByRole('combobox', { name: 'Time' }).selectOption('30d');
    await page
      .getByRole('table', { name: 'Durations and failures' })
      .getByRole('link', { name: 'download' })
      .click();
    await expect
      .poll(() => new URL(page.url()).search, PATIENT)
      .toBe('?service=pay&last=30d&step=download');
    await page.reload();
    const rows = page.getByRole('table', { name: 'Durations and failures' }).locator('tbody tr');
    await expect.poll(() => rows.count(), PATIENT).toBe(1);
    await page.close();
  });

  it('tells new causes of failures from known ones, and leads to a host that failed', async () => {
    const { page, problems } = await openConsole(browser, shiplog.url, '/steps');
    const causes = page.getByRole('region', { name: 'Failures' }).getByRole('listitem');
    const known = causes.filter({ hasText: 'disk is full' });
    await known.getByText('known since').waitFor();
    const fresh = causes.filter({ hasText: 'no such key: <u>x</u>' });
    await fresh.getByText('new', { exact: true }).waitFor();
    await fresh.getByRole('link', { name: 'no such key' }).click();
    await page.getByRole('heading', { name: 'pay-1', level: 1 }).waitFor();
    await page.getByRole('complementary', { name: 'web-9' }).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it('names the slowest steps and hosts, with the way to them', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/steps?service=shop');
    const slowest = page.getByRole('table', { name: 'Slowest steps' }).locator('tbody tr');
    await slowest.first().waitFor();
    expect((await slowest.first().getByRole('cell').allTextContents()).slice(0, 4)).toEqual([
      '4.0 s',
      'download',
      'web-2',
      'shop-1',
    ]);
    const hosts = page.getByRole('table', { name: 'Slowest hosts' });
    await hosts.getByRole('link').first().click();
    await page.getByRole('heading', { name: 'web-2', level: 1 }).waitFor();
    await page.close();
  });
});

describe('the steps across deployments, for whoever looks at them', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    await fill(shiplog);
  });
  afterAll(() => shiplog.close());

  it('say what to do where no step is like this', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/steps?service=unheard-of');
    await page.getByText('No step like this began in the last 7 days').waitFor();
    await page.close();
  });

  it('have nothing serious for axe, and fit a phone', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/steps');
    await page.getByRole('table', { name: 'Slowest steps' }).waitFor();
    await page.getByText('known since').waitFor();
    expect(await seriousProblems(page)).toEqual([]);
    expect(await overflowOnPhone(page)).toBeLessThanOrEqual(0);
    await page.close();
  });
});
