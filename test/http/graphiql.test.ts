import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, validate } from 'graphql';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { TABS } from '../../src/http/endpoints/graphiql-tabs.ts';
import { startBrowser } from './browser.ts';
import { type HttpFixture, startHttpFixture, stepEvents } from './support.ts';

let shiplog: HttpFixture;
let browser: Browser;
beforeAll(async () => {
  [shiplog, browser] = await Promise.all([startHttpFixture(), startBrowser()]);
  await shiplog.ingest.logSteps(stepEvents('shop-42', 5));
});
afterAll(async () => {
  await browser.close();
  await shiplog.close();
});

const FOLLOWING = 'shiplog_subscriptions{transport="sse"}';

async function responseOf(page: Page): Promise<string> {
  return (await page.locator('.graphiql-response .view-lines').textContent()) ?? '';
}

/** Executes where nothing runs: the page reads the names of operations a moment after the tab. */
async function answerOf(page: Page): Promise<string> {
  const start = page.getByRole('button', { name: /execute query/i });
  if ((await start.count()) > 0) await start.click();
  return responseOf(page);
}

/** Tabs take no click while they still slide to their places. */
async function showTab(page: Page, name: string): Promise<void> {
  const tab = page.getByRole('tab').filter({ has: page.getByText(name, { exact: true }) });
  const shown = async (): Promise<string | null> => {
    await tab.getByText(name, { exact: true }).click();
    return tab.getAttribute('aria-selected');
  };
  await expect.poll(shown, { timeout: 20_000, interval: 300 }).toBe('true');
}

async function openPage(
  { url } = shiplog,
  search = '',
): Promise<{
  page: Page;
  foreign: string[];
  problems: string[];
}> {
  const page = await browser.newPage({ viewport: { width: 1500, height: 900 } });
  const foreign: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url())) {
      foreign.push(request.url());
    }
  });
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(`${url}/graphiql${search}`);
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

  it('opens with the query and the variables that a link brings', async () => {
    const query = 'query Asked($id: ID!) { task(id: $id) { id plan } }';
    const variables = JSON.stringify({ id: 'shop-42' });
    const { page, problems } = await openPage(
      shiplog,
      `?${new URLSearchParams({ query, variables })}`,
    );
    const asked = page.getByRole('tab').filter({ hasText: 'Asked' });
    await expect.poll(() => asked.getAttribute('aria-selected')).toBe('true');
    await expect.poll(() => answerOf(page)).toContain('shop-42');
    expect(await page.locator('.graphiql-tab').count()).toBe(TABS.length + 1);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('works in a browser with nothing but this server: examples for the newest task, documentation', async () => {
    const { page, foreign, problems } = await openPage();
    await expect.poll(() => page.locator('.graphiql-tab').count()).toBe(TABS.length);
    await page.getByRole('button', { name: /execute query/i }).click();
    const answer = page.locator('.graphiql-response .view-lines');
    await expect.poll(() => answer.textContent()).toContain('shop-42');
    await showTab(page, 'Board');
    await expect.poll(() => answerOf(page)).toMatch(/"total":\s1,/);
    await page
      .getByRole('button', { name: /documentation explorer/i })
      .first()
      .click();
    const docs = page.locator('.graphiql-doc-explorer');
    await docs.waitFor();
    await expect.poll(() => docs.textContent()).toContain('A task is one deployment');
    await docs.getByText('Query', { exact: true }).first().click();
    await expect.poll(() => docs.textContent()).toContain('tasks');
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('follows events as they come, and leaves nothing behind', async () => {
    const { page, foreign, problems } = await openPage();
    await showTab(page, 'LiveTail');
    await expect.poll(() => answerOf(page), { timeout: 20_000, interval: 500 }).toMatch(/"cursor"/);
    await expect.poll(() => shiplog.metric(FOLLOWING)).toBe(1);
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
    await expect.poll(() => shiplog.metric(FOLLOWING)).toBe(0);
  });

  it('follows events with the token of its headers, where the server has tokens', async () => {
    const { token, record } = makeToken('analyst', ['read'], null, Date.now());
    const tokensFile = join(mkdtempSync(join(tmpdir(), 'shiplog-graphiql-')), 'tokens');
    writeFileSync(tokensFile, formatTokens([record]));
    const guarded = await startHttpFixture({ tokensFile, token });
    const { page } = await openPage(guarded);
    await expect.poll(() => responseOf(page)).toContain('UNAUTHENTICATED');
    await showTab(page, 'LiveTail');
    await page.getByText('Headers', { exact: true }).click();
    await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
    await page.keyboard.press('Control+A');
    // The editor adds the closing brace.
    await page.keyboard.type(`{"Authorization": "Bearer ${token}"`);
    await expect.poll(() => answerOf(page), { timeout: 20_000, interval: 500 }).toMatch(/"cursor"/);
    await expect.poll(() => guarded.metric(FOLLOWING)).toBe(1);
    await page.close();
    await guarded.close();
  });

  it('is not served where it is turned off', async () => {
    const without = await startHttpFixture({ graphiql: false });
    expect((await fetch(`${without.url}/graphiql`)).status).toBe(404);
    await without.close();
  });
});
