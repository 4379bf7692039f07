/** The console in a real browser, with what it must never do watched for. */
import type { Browser, Page } from 'playwright-core';

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
}

export async function openConsole(
  browser: Browser,
  url: string,
  path = '/',
  { width = 1400, height = 900, dark = false }: ConsoleOptions = {},
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
  await page.goto(url + path);
  return { page, foreign, problems };
}
