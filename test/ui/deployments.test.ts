import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { openConsole } from './console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

/** The list, when all changes from now on are told to it; and what it is told. */
async function openFollowing(url: string, path: string): Promise<{ page: Page; told: string[] }> {
  const told: string[] = [];
  const { page } = await openConsole(browser, url, path, {
    told(text) {
      told.push(text);
      return text;
    },
  });
  await expect.poll(() => told.some((text) => text.includes('"caughtUp":true'))).toBe(true);
  return { page, told };
}

describeOnEngines('the list of deployments', (engine) => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture({ store: await engine.open() });
  });
  afterAll(() => shiplog.close());

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
    await row.getByText('RUNNING').waitFor();
    expect(await row.getByText('and other causes').count()).toBe(0);
    for (const name of ['Status', 'Service', 'Environment', 'By']) {
      expect(await page.getByRole('button', { name, exact: true }).count(), name).toBe(1);
    }
    expect(await page.getByRole('status', { name: 'Connection' }).textContent()).toContain('live');
    await shiplog.ingest.startTask({ id: 'shop-2', service: 'shop' });
    await table.getByRole('link', { name: 'shop-2' }).waitFor();
    // The two largest causes stand in the row, and that there are others.
    await shiplog.ingest.logSteps(
      ['disk full', 'disk full', 'no route to host', 'no route to host'].map((message, i) => ({
        taskId: 'shop-1',
        host: `web-${i + 2}`,
        step: 'download',
        status: 'FAILED',
        error: { message },
      })),
    );
    await row.getByText('and other causes').waitFor();
    await row.getByText('2 × disk full').waitFor();
    await row.getByText('2 × no route to host').waitFor();
    expect(await row.getByText('checksum mismatch').count()).toBe(0);
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('is filtered by facets that the address remembers', async () => {
    await shiplog.ingest.startTask({ id: 'facet-1', service: 'pay', environment: 'staging' });
    await shiplog.ingest.startTask({ id: 'facet-2', service: 'search', environment: 'staging' });
    const { page } = await openConsole(browser, shiplog.url);
    const table = page.getByRole('table', { name: 'Deployments' });
    await table.getByRole('link', { name: 'facet-2' }).waitFor();
    await page.getByRole('button', { name: 'Service' }).click();
    await page.getByRole('checkbox', { name: 'pay' }).check();
    await table.getByRole('link', { name: 'facet-2' }).waitFor({ state: 'detached' });
    await table.getByRole('link', { name: 'facet-1' }).waitFor();
    expect(new URL(page.url()).search).toBe('?service=pay');
    await page.reload();
    await table.getByRole('link', { name: 'facet-1' }).waitFor();
    expect(await table.getByRole('link', { name: 'facet-2' }).count()).toBe(0);
    await page.close();
  });
});

describe('the list of deployments, for whoever looks at it', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
  });
  afterAll(() => shiplog.close());

  const ids = (service: string, count: number): string[] =>
    Array.from({ length: count }, (_, at) => `${service}-${at}`);

  /** So many deployments, each a moment younger than the one before. */
  async function begin(service: string, count: number): Promise<void> {
    await Promise.all(ids(service, count).map((id) => shiplog.ingest.startTask({ id, service })));
  }

  it('lets new rows in at the top, but not under the pointer', async () => {
    await shiplog.ingest.startTask({ id: 'calm-1' });
    const { page } = await openConsole(browser, shiplog.url);
    const table = page.getByRole('table', { name: 'Deployments' });
    await table.getByRole('link', { name: 'calm-1' }).hover();
    await shiplog.ingest.startTask({ id: 'calm-2' });
    await page.getByRole('button', { name: '1 new deployment' }).waitFor();
    expect(await table.getByRole('link', { name: 'calm-2' }).count()).toBe(0);
    await page.mouse.move(0, 0);
    await table.getByRole('link', { name: 'calm-2' }).waitFor();
    expect(await table.getByRole('link').first().textContent()).toBe('calm-2');
    await page.close();
  });

  it('offers the values of all deployments, counts them, and takes leave of one that no longer fits', async () => {
    await shiplog.ingest.startTask({
      id: 'count-1',
      service: 'one',
      environment: 'e9',
      createdBy: 'x',
    });
    await shiplog.ingest.startTask({
      id: 'count-2',
      service: 'two',
      environment: 'e9',
      createdBy: 'y',
    });
    const { page } = await openConsole(browser, shiplog.url, '/?environment=e9&service=one');
    await page.getByText('1 shown', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Service' }).click();
    await page.getByRole('checkbox', { name: 'two' }).check();
    await page.getByText('2 shown', { exact: true }).waitFor();
    await page.goto(`${shiplog.url}/?environment=e9&status=PENDING&since=24h`);
    await page.getByText('2 shown', { exact: true }).waitFor();
    await shiplog.ingest.finishTask({ id: 'count-2', status: 'CANCELLED' });
    await page.getByText('1 shown', { exact: true }).waitFor();
    await page.close();
  });

  it('shows what Show more brings where it is scrolled or paused, and what comes waits at the top', async () => {
    await begin('more', 170);
    const { page } = await openConsole(browser, shiplog.url, '/?q=more');
    const links = page.getByRole('table', { name: 'Deployments' }).getByRole('link');
    const more = page.getByRole('button', { name: 'Show more' });
    await expect.poll(() => links.count()).toBe(50);
    await more.click();
    await expect.poll(() => links.count()).toBe(100);
    expect(await page.evaluate('scrollY')).toBeGreaterThan(40);
    expect(await page.getByText('new deployments').count()).toBe(0);
    await page.getByRole('button', { name: 'Pause' }).click();
    await more.click();
    await expect.poll(() => links.count()).toBe(150);
    await page.getByRole('button', { name: 'Resume' }).click();
    await more.scrollIntoViewIfNeeded();
    await expect.poll(() => page.evaluate('scrollY')).toBeGreaterThan(40);
    await shiplog.ingest.startTask({ id: 'more-new' });
    await page.getByRole('button', { name: '1 new deployment' }).waitFor();
    await more.click();
    await expect.poll(() => links.count()).toBe(170);
    const ids = await links.allTextContents();
    expect(new Set(ids).size).toBe(170);
    expect(ids).not.toContain('more-new');
    await page.close();
  });

  it('has a deployment of a later page that changed before somebody asked for that page', async () => {
    await begin('later', 60);
    const { page, told } = await openFollowing(shiplog.url, '/?service=later');
    const links = page.getByRole('table', { name: 'Deployments' }).getByRole('link');
    await expect.poll(() => links.count()).toBe(50);
    const here = new Set(await links.allTextContents());
    const id = ids('later', 60).find((one) => !here.has(one)) ?? '';
    await shiplog.ingest.finishTask({ id, status: 'CANCELLED' });
    await expect.poll(() => told.some((text) => text.includes(`"id":"${id}"`))).toBe(true);
    await page.getByText('60 shown', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show more' }).click();
    await expect.poll(() => links.count()).toBe(60);
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: id }) });
    await row.getByText('CANCELLED').waitFor();
    await page.getByText('60 shown', { exact: true }).waitFor();
    await page.close();
  });

  it('counts one less when a deployment of a page that is not here no longer fits', async () => {
    await begin('fewer', 60);
    const path = '/?service=fewer&status=PENDING';
    const { page } = await openFollowing(shiplog.url, path);
    const links = page.getByRole('table', { name: 'Deployments' }).getByRole('link');
    await page.getByText('60 shown', { exact: true }).waitFor();
    const here = new Set(await links.allTextContents());
    const id = ids('fewer', 60).find((one) => !here.has(one)) ?? '';
    await shiplog.ingest.finishTask({ id, status: 'CANCELLED' });
    await page.getByText('59 shown', { exact: true }).waitFor();
    await page.close();
  });

  it('shows the deployments of a store that took the place of another, and no others', async () => {
    const first = await startHttpFixture();
    await first.ingest.startTask({ id: 'history-1' });
    const { page } = await openFollowing(first.url, '/');
    const table = page.getByRole('table', { name: 'Deployments' });
    await table.getByRole('link', { name: 'history-1' }).hover();
    await first.close();
    await page.getByRole('status', { name: 'Connection' }).getByText('reconnecting').waitFor();
    const second = await startHttpFixture({ port: first.port });
    await second.ingest.startTask({ id: 'history-2' });
    await table.getByRole('link', { name: 'history-2' }).waitFor();
    await table.getByRole('link', { name: 'history-1' }).waitFor({ state: 'detached' });
    await page.getByText('1 shown', { exact: true }).waitFor();
    await page.close();
    await second.close();
  });

  it('lets go of the oldest where many come, and Show more has them again', async () => {
    await begin('wall-old', 20);
    const { page } = await openFollowing(shiplog.url, '/?q=wall');
    const links = page.getByRole('table', { name: 'Deployments' }).getByRole('link');
    await expect.poll(() => links.count()).toBe(20);
    expect(await page.getByRole('button', { name: 'Show more' }).count()).toBe(0);
    await begin('wall-new', 130);
    await page.getByText('150 shown', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Show more' }).waitFor();
    expect(await links.count()).toBeLessThanOrEqual(100);
    expect(await page.getByRole('link', { name: 'wall-old-0', exact: true }).count()).toBe(0);
    const more = page.getByRole('button', { name: 'Show more' });
    while ((await more.count()) > 0) {
      const before = await links.count();
      await more.click();
      await expect.poll(() => links.count()).toBeGreaterThan(before);
    }
    const shown = await links.allTextContents();
    expect(shown.toSorted()).toEqual([...ids('wall-old', 20), ...ids('wall-new', 130)].toSorted());
    await page.close();
  });

  it('tells its keys at ?, and / goes to the search', async () => {
    const { page } = await openConsole(browser, shiplog.url);
    await page.getByRole('heading', { name: 'Deployments' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('nothing-like-it');
    await page.getByText('No deployment is like this').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('nothing-like-it');
    await page.close();
  });

  it('shows one failed host of thousands in its bar, too', async () => {
    const hosts = Array.from({ length: 3_000 }, (_, at) => `web-${at}`);
    const failed = { taskId: 'large-1', host: 'web-7', step: 'x', status: 'FAILED' };
    await shiplog.ingest.startTask({ id: 'large-1', plan: ['x'], hosts });
    await shiplog.ingest.logSteps([failed]);
    const { page } = await openConsole(browser, shiplog.url, '/?q=large');
    const row = page.getByRole('row').filter({ hasText: 'large-1' });
    await row.getByText('1/3000 · 1 failed').waitFor();
    const width = await row.locator('.bar-failed').getAttribute('width');
    expect(Number(width)).toBeGreaterThanOrEqual(2);
    await page.close();
  });

  it('has facets that Esc and Tab close, and that give the focus back', async () => {
    const { page } = await openConsole(browser, shiplog.url);
    const status = page.getByRole('button', { name: 'Status' });
    const values = page.getByRole('checkbox');
    await status.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.getByRole('checkbox', { name: 'RUNNING', checked: true }).waitFor();
    await page.keyboard.press('Escape');
    await values.first().waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await values.last().focus();
    await page.keyboard.press('Tab');
    await values.first().waitFor({ state: 'detached' });
    const focused = 'document.activeElement.textContent.trim()';
    expect(await page.evaluate(focused)).toMatch(/^Service/);
    await page.close();
  });

  it('leads by / from a view without a search to the search of all logs', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/steps');
    await page.getByRole('heading', { name: 'Steps', exact: true }).waitFor();
    await page.keyboard.press('/');
    await page.getByRole('searchbox', { name: 'Search all logs' }).waitFor();
    await page.keyboard.type('timeout');
    await expect.poll(() => new URL(page.url()).searchParams.get('q')).toBe('timeout');
    await page.close();
  });

  it('keeps the theme that somebody chose, and moves nothing where motion is not wanted', async () => {
    await shiplog.ingest.startTask({ id: 'still-1' });
    const { page } = await openConsole(browser, shiplog.url);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const surface = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await surface();
    await page.getByRole('button', { name: 'Theme: light; change to dark' }).click();
    const dark = await surface();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.getByRole('button', { name: 'Theme: dark; change to light' }).waitFor();
    expect(await surface()).toBe(dark);
    await page.getByRole('link', { name: 'still-1' }).waitFor();
    await shiplog.ingest.startTask({ id: 'still-2' });
    const row = page.getByRole('row').filter({ hasText: 'still-2' });
    await row.waitFor();
    expect(await row.evaluate((cells) => getComputedStyle(cells).animationName)).toBe('none');
    await page.close();
  });

  it('goes back and forward to what was shown, and says what to do where the server refuses', async () => {
    await shiplog.ingest.startTask({ id: 'back-1', hosts: ['a'], plan: ['x'] });
    const { page } = await openConsole(browser, shiplog.url, '/?q=back');
    await page.getByRole('link', { name: 'back-1' }).click();
    await page.getByRole('grid').getByRole('link', { name: 'a', exact: true }).click();
    await page.getByRole('complementary', { name: 'a' }).waitFor();
    await page.goBack();
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    await page.goBack();
    await page.getByRole('table', { name: 'Deployments' }).waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('back');
    await page.goForward();
    await page.goForward();
    await page.getByRole('complementary', { name: 'a' }).waitFor();
    await page.goto(`${shiplog.url}/?q=%22half`);
    await page.getByRole('alert').getByText('quote').waitFor();
    // What is no status counts as absent.
    await page.goto(`${shiplog.url}/?status=NONE`);
    await page.getByRole('link', { name: 'back-1' }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.close();
  });
});
