import type { Browser } from 'playwright-core';
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

describe('the list of deployments', () => {
  it('shows what is there with the reason of a failure, and what begins, without a reload', async () => {
    await shiplog.ingest.startTask({ id: 'shop-1', service: 'shop', version: '2.4.0' });
    await shiplog.ingest.logSteps([
      {
        taskId: 'shop-1',
        host: 'web-1',
        step: 'download',
        status: 'FAILED',
        error: { message: 'checksum mismatch' },
      },
    ]);
    const { page, foreign, problems } = await openConsole(browser, shiplog.url);
    const table = page.getByRole('main').getByRole('table', { name: 'Deployments' });
    const row = table.getByRole('row').filter({ hasText: 'shop-1' });
    await row.getByRole('link', { name: 'shop-1' }).waitFor();
    await row.getByText('1 × checksum mismatch').waitFor();
    expect(await page.getByRole('status', { name: 'Connection' }).textContent()).toContain('live');
    await shiplog.ingest.startTask({ id: 'shop-2', service: 'shop' });
    await table.getByRole('link', { name: 'shop-2' }).waitFor();
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});
