import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { overflowOnPhone, seriousProblems } from './accessibility.ts';
import { openConsole, untilSteps } from './console.ts';

const HOUR = 3_600_000;
const HOSTILE_HOST = 'web/<i>1</i>?a=b&c#d%20';

/** On a busy machine. */
const PATIENT = { timeout: 10_000 };

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function fill(shiplog: HttpFixture): Promise<void> {
  const { ingest } = shiplog;
  for (let task = 1; task <= 4; task++) {
    const taskId = `shop-${task}`;
    const at = new Date(Date.now() - (5 - task) * HOUR).toISOString();
    await ingest.startTask({ id: taskId, service: 'shop', version: `2.${task}`, at });
    const ended = (host: string, failed: boolean) => [
      {
        taskId,
        host,
        step: 'start',
        at,
        source: 'agent/1',
        status: 'RUNNING',
        labels: { zone: 'eu-1' },
      },
      {
        taskId,
        host,
        step: 'start',
        at: new Date(Date.parse(at) + 1_200).toISOString(),
        source: 'agent/1',
        ...(failed
          ? { status: 'FAILED', durationMs: 1_200, error: { message: 'port is <b>taken</b>' } }
          : { status: 'SUCCEEDED', durationMs: 2_300 }),
      },
    ];
    await ingest.logSteps([
      ...ended('web-1', false),
      ...ended('web-2', task >= 3),
      ...ended('db-1', task === 2),
      ...ended(HOSTILE_HOST, task === 4),
      ...(task === 1
        ? Array.from({ length: 60 }, (_, at) => ended(`many-${String(at).padStart(2, '0')}`, false))
        : []
      ).flat(),
    ]);
  }
  await untilSteps(shiplog, 76);
}

describeOnEngines('the hosts', (engine) => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture({ store: await engine.open() });
    await fill(shiplog);
  });
  afterAll(() => shiplog.close());

  it('are listed by how often deployments to them fail', async () => {
    const { page, foreign, problems } = await openConsole(browser, shiplog.url, '/hosts');
    const rows = page.getByRole('table', { name: 'Hosts' }).locator('tbody tr');
    await expect.poll(() => rows.count(), PATIENT).toBe(3);
    const cells = await rows.first().getByRole('cell').allTextContents();
    expect(cells.slice(0, 5)).toEqual(['web-2', '4', '2', '50 %', 'start']);
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('are found by the beginning of their names, which the address remembers', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/hosts');
    const rows = page.getByRole('table', { name: 'Hosts' }).locator('tbody tr');
    await page.getByRole('searchbox').fill('db');
    await expect.poll(() => rows.count(), PATIENT).toBe(1);
    await page.getByRole('searchbox').fill('many');
    await page.getByText('No step failed on a host whose name begins with many').waitFor();
    await page.getByRole('button', { name: 'All hosts by name' }).click();
    await expect.poll(() => rows.count(), PATIENT).toBe(50);
    await page.getByText('60 hosts').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await expect.poll(() => rows.count(), PATIENT).toBe(10);
    await page.reload();
    await expect.poll(() => rows.count(), PATIENT).toBe(10);
    await page.close();
  });

  it('have a history: every deployment, newest first, with why it failed', async () => {
    const { page, problems } = await openConsole(browser, shiplog.url, '/hosts');
    await page.getByRole('link', { name: 'web-2' }).click();
    await page.getByRole('heading', { name: 'web-2', level: 1 }).waitFor();
    await page.getByText('2 of 4 runs (50 %)').waitFor();
    await page.getByText('zone=eu-1').waitFor();
    const rows = page.getByRole('table', { name: 'Deployments to this host' }).locator('tbody tr');
    const cells = await rows.first().getByRole('cell').allTextContents();
    expect(cells[0]).toContain('FAILED');
    expect(cells.slice(1, 5)).toEqual([
      'shop-4',
      'shop 2.4',
      'start: port is <b>taken</b>',
      '1.2 s',
    ]);
    await page.getByRole('button', { name: 'Status' }).click();
    await page.getByRole('checkbox', { name: 'SUCCEEDED' }).check();
    await expect.poll(() => rows.count(), PATIENT).toBe(2);
    await rows.first().getByRole('link', { name: 'shop-2' }).click();
    await page.getByRole('heading', { name: 'shop-2', level: 1 }).waitFor();
    await page.getByRole('complementary', { name: 'web-2' }).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it('may have any name: its link, its history and the way to its run work', async () => {
    const { page, problems } = await openConsole(browser, shiplog.url, '/hosts');
    await page.getByRole('link', { name: HOSTILE_HOST, exact: true }).click();
    await page.getByRole('heading', { name: HOSTILE_HOST, level: 1 }).waitFor();
    await page.reload();
    await page.getByText('1 of 4 runs (25 %)').waitFor();
    await page.getByRole('link', { name: 'shop-4' }).click();
    await page.getByRole('complementary', { name: HOSTILE_HOST }).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe('the hosts, for whoever looks at them', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    await fill(shiplog);
  });
  afterAll(() => shiplog.close());

  it('have a first page where that of the address is gone', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/hosts?sort=name&after=gone');
    const problem = page.getByRole('alert');
    await problem.getByText('The page that the address names is no longer there.').waitFor();
    await problem.getByRole('button', { name: 'First page' }).click();
    await page.getByRole('table', { name: 'Hosts' }).waitFor();
    expect(new URL(page.url()).search).toBe('?sort=name');
    await page.close();
  });

  it('that nobody heard of say so', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/hosts/nobody');
    await page.getByText('Nothing was reported about a host of this name').waitFor();
    await page.close();
  });

  it.each(['/hosts?sort=name', '/hosts/web-2'])(
    'have nothing serious for axe, and fit a phone, at %s',
    async (path) => {
      const { page } = await openConsole(browser, shiplog.url, path);
      await page.locator('tbody tr').first().waitFor();
      expect(await seriousProblems(page)).toEqual([]);
      expect(await overflowOnPhone(page)).toBeLessThanOrEqual(0);
      await page.close();
    },
  );
});
