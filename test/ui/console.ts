/** The console in a real browser, with what it must never do watched for. */
import type { Browser, Page } from 'playwright-core';
import { expect, vi } from 'vitest';
import type { HttpFixture } from '../http/support.ts';

export interface ConsolePage {
  page: Page;
  /** Requests to any other origin. */
  foreign: string[];
  /** Errors in the browser's console, and what was thrown. */
  problems: string[];
}

export interface ConsoleOptions {
  width?: number;
  height?: number;
  dark?: boolean;
  /** As if the browser could scroll only so many pixels. */
  scrollMax?: number;
  /** Changes what the websocket tells, message by message. */
  told?: (text: string) => string;
  /** The server takes every question and answers none. */
  unanswered?: boolean;
}

export async function openConsole(
  browser: Browser,
  url: string,
  path = '/',
  { width = 1400, height = 900, dark = false, scrollMax, told, unanswered }: ConsoleOptions = {},
): Promise<ConsolePage> {
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
  });
  const foreign: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) foreign.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  if (told !== undefined) {
    await page.routeWebSocket(/\/graphql$/, (socket) => {
      socket.connectToServer().onMessage((text) => socket.send(told(String(text))));
    });
  }
  if (scrollMax !== undefined) {
    await page.addInitScript(`const sheet = new CSSStyleSheet();
      sheet.replaceSync(':root { --scroll-max: ${scrollMax}px !important }');
      document.adoptedStyleSheets.push(sheet);`);
  }
  if (unanswered === true) {
    await page.route(/\/graphql$/, () => {});
    await page.routeWebSocket(/\/graphql$/, () => {});
  }
  await page.goto(url + path);
  return { page, foreign, problems };
}

/** Resolves when lists across tasks have so many steps: Elasticsearch shows them a moment after it took them. */
export async function untilSteps({ graphql }: HttpFixture, totalCount: number): Promise<void> {
  const query = '{ steps(filter: { from: "2020-01-01T00:00:00Z" }) { totalCount } }';
  await vi.waitFor(
    async () => expect((await graphql({ query })).data).toEqual({ steps: { totalCount } }),
    { timeout: 30_000, interval: 50 },
  );
}
