import { parse, validate } from 'graphql';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSchema } from '../../src/graphql/schema.ts';
import { TABS } from '../../src/http/endpoints/graphiql-tabs.ts';
import { startBrowser } from './browser.ts';
import { type HttpFixture, startHttpFixture, stepEvents } from './support.ts';

let shiplog: HttpFixture;
let browser: Browser;
beforeAll(async () => {
  [shiplog, browser] = await Promise.all([startHttpFixture(), startBrowser()]);
  await shiplog.ingest.logSteps(stepEvents('deploy-1', 5));
});
afterAll(async () => {
  await browser.close();
  await shiplog.close();
});

async function openPage(): Promise<{ page: Page; foreign: string[]; problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1500, height: 900 } });
  const foreign: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(shiplog.url) && !/^(data|blob):/.test(request.url())) {
      foreign.push(request.url());
    }
  });
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(`${shiplog.url}/graphiql`);
  await page.locator('.graphiql-editors').waitFor();
  return { page, foreign, problems };
}

describe('GraphiQL', () => {
  it('has example queries that the schema knows', () => {
    const schema = buildSchema();
    expect(TABS.length).toBeGreaterThanOrEqual(8);
    for (const { query } of TABS) {
      expect([query, validate(schema, parse(query))]).toEqual([query, []]);
    }
  });

  it('answers its example queries, within the limits of a query', async () => {
    for (const { query, variables } of TABS) {
      if (query.includes('subscription')) continue;
      const answer = await shiplog.graphql({ query, variables: JSON.parse(variables ?? '{}') });
      expect([query, answer.errors]).toEqual([query, undefined]);
    }
  });

  it('comes as files that are named by their content, compressed and kept for ever', async () => {
    const page = await fetch(`${shiplog.url}/graphiql`);
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(html.length).toBeLessThan(2_000);
    const files = [...html.matchAll(/(?:src|href)="(graphiql\/[^"]+)"/g)].map(([, path]) => path);
    expect(files).toHaveLength(4);
    for (const path of files) {
      const file = await fetch(`${shiplog.url}/${path}`);
      expect([path, file.status]).toEqual([path, 200]);
      expect(path).toMatch(/\.[0-9a-f]{16}\./);
      expect(file.headers.get('cache-control')).toContain('immutable');
      expect(file.headers.get('content-encoding')).toBe('gzip');
      expect(Number(file.headers.get('content-length'))).toBeLessThan(2_500_000);
    }
    expect((await fetch(`${shiplog.url}/graphiql/other.js`)).status).toBe(404);
  });

  it('works in a browser with nothing but this server: tabs, a query, documentation', async () => {
    const { page, foreign, problems } = await openPage();
    await expect.poll(() => page.locator('.graphiql-tab').count()).toBe(TABS.length);
    await page.getByRole('button', { name: /execute query/i }).click();
    const answer = page.locator('.graphiql-response .view-lines');
    await expect.poll(() => answer.textContent()).toContain('deploy-1');
    await page
      .getByRole('button', { name: /documentation explorer/i })
      .first()
      .click();
    const docs = page.locator('.graphiql-doc-explorer');
    await docs.waitFor();
    await docs.getByText('Query', { exact: true }).first().click();
    await expect.poll(() => docs.textContent()).toContain('tasks');
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('follows events over a websocket', async () => {
    const { page, foreign, problems } = await openPage();
    // Tabs take no click while they still slide to their places.
    const tab = page.getByRole('tab').filter({ hasText: 'LiveTail' });
    await expect
      .poll(
        async () => {
          await tab.getByText('LiveTail', { exact: true }).click();
          return tab.getAttribute('aria-selected');
        },
        { timeout: 20_000, interval: 300 },
      )
      .toBe('true');
    // It reads the names of operations a moment after the tab is shown.
    const answer = page.locator('.graphiql-response .view-lines');
    const start = page.getByRole('button', { name: /execute query/i });
    const answered = async (): Promise<string> => {
      if ((await start.count()) > 0) await start.click();
      return (await answer.textContent()) ?? '';
    };
    await expect.poll(answered, { timeout: 20_000, interval: 500 }).toContain('"cursor"');
    await expect.poll(() => shiplog.metric('shiplog_subscriptions{transport="websocket"}')).toBe(1);
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
    await expect.poll(() => shiplog.metric('shiplog_subscriptions{transport="websocket"}')).toBe(0);
  });

  it('is not served where it is turned off', async () => {
    const without = await startHttpFixture({ graphiql: false });
    expect((await fetch(`${without.url}/graphiql`)).status).toBe(404);
    await without.close();
  });
});
