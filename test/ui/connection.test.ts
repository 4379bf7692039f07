import { createServer } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { startBrowser } from '../http/browser.ts';
import { startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { startServer } from '../support/server.ts';
import { openConsole } from './console.ts';

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await startBrowser();
  folder = await mkdtemp(join(tmpdir(), 'shiplog-console-'));
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function report(url: string, events: object[]): Promise<void> {
  const response = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: events.map((event) => JSON.stringify(event)).join('\n'),
  });
  expect(await response.json()).toMatchObject({ stored: events.length });
}

describeOnEngines('the connection of the console', (engine) => {
  it('outlives a server that is killed in the middle of a view: nothing is missed or told twice', async () => {
    const dataDir = join(folder, `killed-${engine.name}`);
    const env = engine.serverEnv();
    const port = await freePort();
    const line = (number: number) => ({
      taskId: 't',
      host: 'a',
      step: 'only',
      message: `line ${number}`,
    });
    const first = await startServer({ dataDir, port, env });
    await report(first.url, [line(1), line(2)]);
    const { page, foreign } = await openConsole(browser, first.url, '/tasks/t?host=a');
    const connection = page.getByRole('status', { name: 'Connection' });
    const log = page.getByRole('log', { name: 'Log' });
    await log.getByText('line 2').waitFor();
    await connection.getByText('live').waitFor();
    await first.kill();
    await connection.getByText('reconnecting').waitFor();
    // What was known stays in sight.
    expect(await log.getByText('line 2').count()).toBe(1);

    await using second = await startServer({ dataDir, port, env });
    await report(second.url, [line(3), line(4)]);
    await connection.getByText('live').waitFor();
    await log.getByText('line 4').waitFor();
    await report(second.url, [{ ...line(5), status: 'FAILED' }]);
    await page.getByRole('grid').getByRole('gridcell', { name: 'FAILED' }).waitFor();
    await log.getByText('line 5').waitFor();
    const texts = await log.locator('.log-text').allTextContents();
    expect(texts.slice(0, 4)).toEqual(['line 1', 'line 2', 'line 3', 'line 4']);
    expect(texts).toHaveLength(5);
    expect(foreign).toEqual([]);
    await page.close();
  }, 90_000);

  it('says that the browser is offline, and goes on where it was', async () => {
    const server = await startHttpFixture({ store: await engine.open() });
    const line = (message: string) => ({ taskId: 't', host: 'a', step: 'only', message });
    await report(server.url, [line('before')]);
    const { page } = await openConsole(browser, server.url, '/tasks/t?host=a');
    const connection = page.getByRole('status', { name: 'Connection' });
    await page.getByRole('log').getByText('before').waitFor();
    await connection.getByText('live').waitFor();
    await page.context().setOffline(true);
    await connection.getByText('offline').waitFor();
    await report(server.url, [line('meanwhile')]);
    await page.context().setOffline(false);
    await page.getByRole('log').getByText('meanwhile').waitFor();
    await connection.getByText('live').waitFor();
    await page.close();
    await server.close();
  });
});

describe('the connection of the console to a server with tokens', () => {
  it('asks for a token where the server wants one, again where it is wrong, and keeps it out of the address', async () => {
    const tokensFile = join(folder, 'tokens');
    const right = makeToken('someone', ['read'], null, Date.now());
    await writeFile(tokensFile, formatTokens([right.record]), { mode: 0o600 });
    await using server = await startServer({ env: { SHIPLOG_TOKENS_FILE: tokensFile } });
    const phone = { width: 360, height: 740 };
    const { page } = await openConsole(browser, server.url, '/', phone);
    const dialog = page.getByRole('dialog');
    const field = dialog.getByLabel('Token');
    await field.waitFor();
    const { x = 0, width = 0 } = (await field.boundingBox()) ?? {};
    expect(x + width).toBeLessThan(phone.width);
    await page.keyboard.press('Escape');
    await field.fill(makeToken('someone', ['read'], null, Date.now()).token);
    await page.keyboard.press('Enter');
    await expect.poll(() => field.inputValue()).toBe('');
    await dialog.getByRole('alert').getByText(/token/i).waitFor();
    await field.fill(right.token);
    await page.keyboard.press('Enter');
    await page.getByText('No deployment yet').waitFor();
    await page.getByRole('status', { name: 'Connection' }).getByText('live').waitFor();
    expect(page.url()).toBe(`${server.url}/`);
    await page.reload();
    await page.getByText('No deployment yet').waitFor();
    expect(await dialog.count()).toBe(0);
    await page.close();
  });
});
