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

const PLAN = ['backup', 'download', 'unpack', 'env-init', 'offline', 'start', 'online'];
const HOSTS = Array.from({ length: 5_000 }, (_, at) => `web-${String(at).padStart(4, '0')}`);

describe('a board of 5,000 hosts and 7 steps', () => {
  it('is live to the last host, and draws only what can be seen', async () => {
    await shiplog.ingest.startTask({ id: 'large', plan: PLAN, hosts: HOSTS });
    const { page, problems } = await openConsole(browser, shiplog.url, '/tasks/large');
    const board = page.getByRole('grid', { name: 'Hosts by step' });
    await board.getByRole('button', { name: '5,000 hosts' }).click();
    await board.getByRole('link', { name: 'web-0000' }).waitFor();
    expect(await board.getAttribute('aria-rowcount')).toBe('5002');
    expect(await board.getByRole('row').count()).toBeLessThan(80);

    for (let from = 0; from < HOSTS.length; from += 125) {
      await shiplog.ingest.logSteps(
        HOSTS.slice(from, from + 125).flatMap((host, at) =>
          PLAN.map((step) => {
            const fails = step === 'online' && (from + at) % 1_000 === 7;
            return { taskId: 'large', host, step, status: fails ? 'FAILED' : 'SUCCEEDED' };
          }),
        ),
      );
    }
    await board.getByRole('button', { name: '4,995 hosts' }).waitFor();
    const failed = board.getByRole('row').nth(1);
    await failed.getByRole('button', { name: '5 hosts' }).click();
    await board.getByRole('link', { name: 'web-4007' }).waitFor();
    await page.getByRole('region', { name: 'Steps' }).getByText('4,995 succeeded').waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });
});
