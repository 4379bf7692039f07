import { createServer } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTokens, makeToken } from '../../src/domain/token.ts';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
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

describe('the connection of the console, where something on the way fails', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    await shiplog.ingest.logSteps([
      {
        ...{ taskId: 't', host: 'a', step: 'only' },
        status: 'FAILED',
        error: { message: 'no disk' },
      },
    ]);
  });
  afterAll(() => shiplog.close());

  it.each(['SHUTTING_DOWN', 'OVERLOADED', 'STORE_UNAVAILABLE', 'QUERY_TIMEOUT', 'INTERNAL'])(
    'follows again by itself what was refused with %s',
    async (code) => {
      const taskId = `refused-${code}`;
      await shiplog.ingest.startTask({ id: taskId, plan: ['only'], hosts: ['a', 'b'] });
      const payload = [{ message: 'Not now', extensions: { code } }];
      let refused = true;
      const { page } = await openConsole(browser, shiplog.url, `/tasks/${taskId}`, {
        told: (text) =>
          refused && /"(taskChanged|runsChanged)":/.test(text)
            ? JSON.stringify({ id: JSON.parse(text).id, type: 'error', payload })
            : text,
      });
      const problem = page.getByRole('alert');
      await problem.getByText('Not now').waitFor();
      refused = false;
      await problem.waitFor({ state: 'detached' });
      await shiplog.ingest.logSteps([{ taskId, host: 'a', step: 'only', status: 'SUCCEEDED' }]);
      await page.getByRole('grid').getByRole('gridcell', { name: 'SUCCEEDED' }).waitFor();
      await page.locator('.deployment-head').getByText('succeeded 1').waitFor();
      await page.close();
    },
  );

  it('says at the list that it is not followed, and follows it again by itself', async () => {
    await shiplog.ingest.startTask({ id: 'listed before', plan: ['only'], hosts: ['a'] });
    const payload = [{ message: 'Not now', extensions: { code: 'STORE_UNAVAILABLE' } }];
    let refused = true;
    const { page } = await openConsole(browser, shiplog.url, '/', {
      told: (text) =>
        refused && text.includes('"tasksChanged":')
          ? JSON.stringify({ id: JSON.parse(text).id, type: 'error', payload })
          : text,
    });
    const problem = page.getByRole('alert');
    await problem.getByText('Not now').waitFor();
    // What is known stays in sight.
    await page.getByText('listed before').first().waitFor();
    await shiplog.ingest.startTask({ id: 'listed behind', plan: ['only'], hosts: ['a'] });
    refused = false;
    await problem.waitFor({ state: 'detached' });
    await page.getByText('listed behind').first().waitFor();
    await page.close();
  });

  it.each(['/hosts/a', '/search', '/tasks/t', '/tasks/t?host=a'])(
    'asks again by itself what failed while the websocket lived, at %s',
    async (path) => {
      const { page } = await openConsole(browser, shiplog.url);
      const errors = [{ message: 'No store', extensions: { code: 'STORE_UNAVAILABLE' } }];
      await page.route(/\/graphql$/, (route) =>
        // The log has a button for it.
        route.request().postData()?.includes('query Log')
          ? route.fallback()
          : route.fulfill({ json: { errors } }),
      );
      await page.goto(shiplog.url + path);
      const problem = page.getByRole('alert');
      await problem.getByText('No store').first().waitFor();
      await page.getByRole('status', { name: 'Connection' }).getByText('live').waitFor();
      await page.unroute(/\/graphql$/);
      await expect.poll(() => problem.count()).toBe(0);
      await page.getByText('no disk').first().waitFor();
      if (path.startsWith('/tasks')) await page.getByRole('grid').getByText('no disk').waitFor();
      await page.close();
    },
  );

  it('gives up a connection that is dead without a word, and goes on where it was', async () => {
    const line = (message: string) => ({ taskId: 'silent', host: 'a', step: 'only', message });
    await report(shiplog.url, [line('before')]);
    const { page } = await openConsole(browser, shiplog.url);
    await page.clock.install();
    const dead: (() => void)[] = [];
    let unanswered = 0;
    await page.routeWebSocket(/\/graphql$/, (socket) => {
      const server = socket.connectToServer();
      let isDead = false;
      dead.push(() => {
        isDead = true;
      });
      socket.onMessage((text) => {
        if (!isDead) server.send(text);
        else if (JSON.parse(String(text)).type === 'ping') unanswered++;
      });
      server.onMessage((text) => {
        if (!isDead) socket.send(text);
      });
    });
    await page.goto(`${shiplog.url}/tasks/silent?host=a`);
    const connection = page.getByRole('status', { name: 'Connection' });
    await page.getByRole('log').getByText('before').waitFor();
    await connection.getByText('live').waitFor();
    dead[0]?.();
    await report(shiplog.url, [line('meanwhile')]);
    await page.clock.fastForward(12_000);
    await expect.poll(() => unanswered).toBe(1);
    await page.clock.fastForward(8_000);
    await page.getByRole('log').getByText('meanwhile').waitFor();
    await connection.getByText('live').waitFor();
    // Whoever comes back to the page does not wait for the next turn.
    dead[1]?.();
    await report(shiplog.url, [line('in the end')]);
    await page.evaluate("dispatchEvent(new Event('pageshow'))");
    await expect.poll(() => unanswered).toBe(2);
    await page.clock.fastForward(8_000);
    await page.getByRole('log').getByText('in the end').waitFor();
    await page.close();
  });

  it.each([1011, 4400, 4500])('connects again after the server closed with %i', async (code) => {
    const { page } = await openConsole(browser, shiplog.url);
    let sockets = 0;
    await page.routeWebSocket(/\/graphql$/, async (socket) => {
      if (++sockets === 1) await socket.close({ code });
      else socket.connectToServer();
    });
    await page.goto(`${shiplog.url}/search`);
    await page.getByRole('status', { name: 'Connection' }).getByText('live').waitFor();
    expect(sockets).toBe(2);
    await page.close();
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

  it('asks for no other token because of what was refused before the right one was given', async () => {
    const tokensFile = join(folder, 'late');
    const { token, record } = makeToken('someone', ['read'], null, Date.now());
    await writeFile(tokensFile, formatTokens([record]), { mode: 0o600 });
    const server = await startHttpFixture({ tokensFile });
    const { page } = await openConsole(browser, server.url);
    let sockets = 0;
    let refuse = (): void => {};
    const given = new Promise<void>((resolve) => {
      refuse = resolve;
    });
    await page.routeWebSocket(/\/graphql$/, (socket) => {
      const first = ++sockets === 1;
      const onServer = socket.connectToServer();
      onServer.onClose(async (code, reason) => {
        if (first) await given;
        await socket.close({ ...(code && { code }), ...(reason && { reason }) });
      });
    });
    await page.goto(`${server.url}/search`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    refuse();
    await page.getByRole('status', { name: 'Connection' }).getByText('live').waitFor();
    expect(await dialog.count()).toBe(0);
    await page.close();
    await server.close();
  });

  it.each(['/search', '/steps', '/hosts', '/hosts/a'])(
    'is live once the token was given where nothing is followed: %s',
    async (path) => {
      const tokensFile = join(folder, `tokens${path.replaceAll('/', '-')}`);
      const { token, record } = makeToken('someone', ['read'], null, Date.now());
      await writeFile(tokensFile, formatTokens([record]), { mode: 0o600 });
      const server = await startHttpFixture({ tokensFile });
      const { page } = await openConsole(browser, server.url, path);
      const field = page.getByRole('dialog').getByLabel('Token');
      await field.fill(token);
      await page.keyboard.press('Enter');
      await page.getByRole('status', { name: 'Connection' }).getByText('live').waitFor();
      await page.close();
      await server.close();
    },
  );
});
