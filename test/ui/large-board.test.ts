import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { openConsole } from './console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const PLAN = ['backup', 'download', 'unpack', 'env-init', 'offline', 'start', 'online'];

describeOnEngines('a board of thousands of hosts and 7 steps', (engine) => {
  const HOSTS = Array.from(
    { length: engine.name === 'sqlite' ? 5_000 : 1_000 },
    (_, at) => `web-${String(at).padStart(4, '0')}`,
  );
  const BAD = HOSTS.filter((_, at) => at % (HOSTS.length / 5) === 7);
  const count = (hosts: number) => hosts.toLocaleString('en');
  let shiplog: HttpFixture;
  /** On all hosts, 1,000 events to a batch. */
  async function report(step: string): Promise<void> {
    for (let from = 0; from < HOSTS.length; from += 1_000) {
      const events = HOSTS.slice(from, from + 1_000).map((host) => {
        const fails = step === PLAN.at(-1) && BAD.includes(host);
        return { taskId: 'large', host, step, status: fails ? 'FAILED' : 'SUCCEEDED' };
      });
      await shiplog.ingest.logSteps(events);
    }
  }
  beforeAll(async () => {
    shiplog = await startHttpFixture({ store: await engine.open() });
    await shiplog.ingest.startTask({ id: 'large', plan: PLAN, hosts: HOSTS });
    // Most of a test of tens of thousands of events is writing them.
    for (const step of PLAN.slice(0, -1)) await report(step);
  });
  afterAll(() => shiplog.close());

  it('is live to the last host, and draws only what can be seen', async () => {
    const { page, problems } = await openConsole(browser, shiplog.url, '/tasks/large');
    const board = page.getByRole('grid', { name: 'Hosts by step' });
    await board.getByRole('button', { name: `${count(HOSTS.length)} hosts` }).click();
    await board.getByRole('link', { name: 'web-0000' }).waitFor();
    expect(await board.getAttribute('aria-rowcount')).toBe(String(HOSTS.length + 2));
    expect(await board.getByRole('row').count()).toBeLessThan(80);

    await report(PLAN.at(-1) as string);
    const good = count(HOSTS.length - BAD.length);
    await board.getByRole('button', { name: `${good} hosts` }).waitFor();
    const failed = board.getByRole('row').nth(1);
    await failed.getByRole('button', { name: '5 hosts' }).click();
    await board.getByRole('link', { name: BAD.at(-1) as string }).waitFor();
    await page.getByRole('region', { name: 'Steps' }).getByText(`${good} succeeded`).waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it('is printed as its first 500 rows, and says how many there are more', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/large');
    const board = page.getByRole('grid', { name: 'Hosts by step' });
    const group = board.getByRole('button', { name: /^[\d,]{3,} hosts/ });
    await group.click();
    await expect
      .poll(async () => Number(await board.getAttribute('aria-rowcount')))
      .toBeGreaterThan(500);
    const rows = Number(await board.getAttribute('aria-rowcount')) - 1;
    const more = page.getByText(`… and ${count(rows - 500)} rows more, in the console.`);
    expect(await more.isVisible()).toBe(false);
    await page.emulateMedia({ media: 'print' });
    await more.waitFor();
    await expect.poll(() => board.getByRole('row').count()).toBe(501);
    expect(await page.getByRole('button', { name: 'Pause' }).isVisible()).toBe(false);
    // On screen again there is what can be seen.
    await page.emulateMedia({ media: 'screen' });
    await expect.poll(() => board.getByRole('row').count()).toBeLessThan(80);
    await page.close();
  });
});
