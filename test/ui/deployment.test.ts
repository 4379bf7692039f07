import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ingest } from '../../src/ingest/ingest.ts';
import { startBrowser } from '../http/browser.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { describeOnEngines } from '../support/engines.ts';
import { overflowOnPhone, seriousProblems } from './accessibility.ts';
import { openConsole } from './console.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const PLAN = ['download', 'start'];

/** Thirty hosts: two fail, one with an ERROR in a step that went well, all others succeed. */
async function failedDeployment(ingest: Ingest, taskId: string): Promise<void> {
  const hosts = Array.from({ length: 30 }, (_, at) => `web-${String(at).padStart(2, '0')}`);
  await ingest.startTask({ id: taskId, service: 'shop', plan: PLAN, hosts });
  for (const host of hosts) {
    const event = (step: string, more: object) => ({ taskId, host, step, ...more });
    const failed = host === 'web-07' || host === 'web-19';
    await ingest.logSteps([
      event('download', { status: 'RUNNING' }),
      event('download', { message: 'mirror is slow', level: 'ERROR' }),
      event('download', { status: 'SUCCEEDED' }),
      event('start', { status: 'RUNNING', command: 'systemctl start shop' }),
      ...(failed ? [event('start', { message: 'port 8080 is taken', level: 'ERROR' })] : []),
      event(
        'start',
        failed
          ? { status: 'FAILED', exitCode: 1, error: { message: 'port 8080 is taken' } }
          : { status: 'SUCCEEDED' },
      ),
    ]);
  }
}

describeOnEngines('a deployment', (engine) => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture({ store: await engine.open() });
    await failedDeployment(shiplog.ingest, 'shop-1');
  });
  afterAll(() => shiplog.close());

  it('leads from the list to the failing line in two clicks', async () => {
    const { page, foreign, problems } = await openConsole(browser, shiplog.url);
    await page.getByRole('link', { name: 'shop-1' }).click();
    const cause = page.getByRole('region', { name: 'Failures' }).getByRole('listitem');
    await cause.getByText('2 hosts').waitFor();
    await cause.getByRole('link', { name: 'web-07' }).click();
    const drawer = page.getByRole('complementary', { name: 'web-07' });
    const line = drawer.getByRole('log', { name: 'Log' }).locator('[aria-current="true"]');
    await line.getByText('port 8080 is taken').waitFor();
    expect(await line.textContent()).toContain('start');
    await drawer.getByText('exit code 1', { exact: true }).waitFor();
    expect(foreign).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('opens the log of all hosts at the first failure once it is over, and at its end while it goes on', async () => {
    const taskId = 'over-1';
    await failedDeployment(shiplog.ingest, taskId);
    // Elasticsearch finds events a moment after it took them.
    const failed = `events(filter: { taskId: "${taskId}", minLevel: ERROR, steps: ["start"] }) { totalCount }`;
    const query = `{ ${failed} task(id: "${taskId}") { failureGroups { hostCount } } }`;
    await expect
      .poll(async () => (await shiplog.graphql({ query })).data)
      .toEqual({ events: { totalCount: 4 }, task: { failureGroups: [{ hostCount: 2 }] } });
    const { page } = await openConsole(browser, shiplog.url, `/tasks/${taskId}`);
    const log = page.getByRole('log', { name: 'Log' });
    const current = log.locator('[aria-current="true"]');
    await current.getByText('port 8080 is taken').waitFor();
    expect(await current.textContent()).toContain('web-07');
    await page.getByRole('button', { name: 'Follow', pressed: false }).waitFor();
    // One more host is expected.
    await shiplog.ingest.startTask({ id: 'going-1', expectedHosts: 31 });
    await failedDeployment(shiplog.ingest, 'going-1');
    await page.goto(`${shiplog.url}/tasks/going-1`);
    await log.getByText('start succeeded').last().waitFor();
    await page.getByRole('button', { name: 'Follow', pressed: true }).waitFor();
    expect(await current.count()).toBe(0);
    await page.close();
  });

  it('folds hosts that look the same, failures first, and opens a group', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/shop-1');
    const board = page.getByRole('grid', { name: 'Hosts by step' });
    await board.getByRole('button', { name: '28 hosts' }).waitFor();
    expect(await board.getByRole('columnheader').allTextContents()).toEqual([...PLAN, 'Hosts']);
    const rows = board.getByRole('row');
    expect(await rows.nth(1).getByRole('gridcell', { name: 'FAILED' }).count()).toBe(1);
    await board.getByRole('button', { name: '2 hosts', exact: true }).click();
    const host = board.getByRole('row').filter({ hasText: 'web-19' }).last();
    await host.getByText('port 8080 is taken').waitFor();
    await page.getByRole('button', { name: 'failed 2' }).click();
    await board.getByRole('button', { name: '28 hosts' }).waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.get('show')).toBe('failed');
    await page.close();
  });

  it('is live: a host that ends and a task that ends are shown without a reload', async () => {
    await shiplog.ingest.startTask({ id: 'live-1', plan: ['only'], hosts: ['a', 'b'] });
    const { page } = await openConsole(browser, shiplog.url, '/tasks/live-1');
    const status = page.locator('.deployment-head .status');
    await page.getByRole('grid').getByRole('button', { name: '2 hosts' }).waitFor();
    const ends = (host: string) => ({ taskId: 'live-1', host, step: 'only', status: 'SUCCEEDED' });
    await shiplog.ingest.logSteps([ends('a')]);
    await page.getByRole('grid').getByRole('gridcell', { name: 'SUCCEEDED' }).waitFor();
    await shiplog.ingest.logSteps([ends('b')]);
    await expect.poll(() => status.textContent()).toContain('SUCCEEDED');
    await page.getByRole('log').getByText('only succeeded').first().waitFor();
    await page.close();
  });
});

describe('a deployment, for whoever looks at it', () => {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    await failedDeployment(shiplog.ingest, 'shop-1');
  });
  afterAll(() => shiplog.close());

  it('goes from failed host to failed host by n and p, and back by Esc, focus included', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/shop-1');
    const failures = page.getByRole('region', { name: 'Failures' });
    await failures.getByRole('link', { name: 'web-19' }).focus();
    await page.getByRole('button', { name: 'failed 2' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'web-19' }).waitFor();
    const focused = (): Promise<string | null> =>
      page.evaluate('document.activeElement.textContent');
    await expect.poll(focused).toBe('web-19');
    await page.keyboard.press('p');
    await page.getByRole('complementary', { name: 'web-07' }).waitFor();
    await page.getByText('failed host 1 of 2').waitFor();
    await page.keyboard.press('n');
    await page.getByRole('complementary', { name: 'web-19' }).waitFor();
    await page.keyboard.press('p');
    await page.getByRole('complementary', { name: 'web-07' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    await expect.poll(focused).toBe('web-19');
    await page.close();
  });

  it('closes a run by Esc also from its search box, once that is empty, and from its choices', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/shop-1?host=web-07');
    const drawer = page.getByRole('complementary', { name: 'web-07' });
    await drawer.getByRole('log').getByText('port 8080 is taken').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('x');
    await page.keyboard.press('Escape');
    expect(await drawer.getByRole('searchbox').inputValue()).toBe('');
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await page.goBack();
    await drawer.getByRole('combobox', { name: 'Level' }).focus();
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await page.close();
  });

  it('goes on since it was declared, whatever the clocks of its hosts say, and shows each attempt in time', async () => {
    const event = (more: object) => ({ taskId: 'clocks', host: 'a', step: 'only', ...more });
    const then = Date.now() - 3 * 86_400_000;
    await shiplog.ingest.startTask({ id: 'clocks', plan: ['only'], hosts: ['a'] });
    await shiplog.ingest.logSteps([
      event({ at: then, status: 'RUNNING' }),
      event({ at: then + 5_000, status: 'FAILED', error: { message: '\u001b[31mno\u001b[0m' } }),
      event({ at: then + 9_000, status: 'RUNNING', attempt: 2, message: 'of another day' }),
    ]);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/clocks?host=a');
    const drawer = page.getByRole('complementary', { name: 'a' });
    await drawer.locator('.lane-bar .bar-running').waitFor();
    expect(await drawer.locator('.lane-bar .bar-failed').count()).toBe(1);
    await drawer.getByText('no', { exact: false }).first().waitFor();
    expect(await page.locator('.took').textContent()).toMatch(/^[\d.]+ (?:ms|s)$/);
    const line = drawer.locator('.log-line', { hasText: 'of another day' });
    expect(await line.locator('time').textContent()).toMatch(/^\d+ [A-Z][a-z]+ \d\d:\d\d:/);
    await page.close();
  });

  it('has a board that arrow keys lead through, one stop of Tab in all', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/shop-1');
    const board = page.getByRole('grid', { name: 'Hosts by step' });
    const first = board.getByRole('button', { name: '2 hosts', exact: true });
    await first.focus();
    expect(await board.locator('[tabindex="0"]').count()).toBe(1);
    await page.keyboard.press('ArrowDown');
    const label = (): Promise<string | null> =>
      page.evaluate(
        'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent',
      );
    await expect.poll(label).toContain('28 hosts');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowLeft');
    await expect.poll(label).toBe('FAILED');
    await page.keyboard.press('Enter');
    await board.getByRole('link', { name: 'web-07' }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await expect.poll(label).toBe('web-07');
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'web-07' }).waitFor();
    await page.close();
  });

  it('filters its board by a click on what a step says', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/shop-1');
    const steps = page.getByRole('region', { name: 'Steps' });
    await steps.getByRole('button', { name: '2 failed' }).click();
    const board = page.getByRole('grid');
    await board.getByRole('button', { name: '28 hosts' }).waitFor({ state: 'detached' });
    await board.getByRole('button', { name: '2 hosts', exact: true }).waitFor();
    await page.getByRole('button', { name: 'start: failed' }).click();
    await board.getByRole('button', { name: '28 hosts' }).waitFor();
    await page.close();
  });

  it('says since when a host is out of rotation as soon as it is, though no host ended', async () => {
    const taskId = 'rotation-1';
    const plan = ['nginx-offline', 'start', 'nginx-online'];
    await shiplog.ingest.startTask({ id: taskId, plan, hosts: ['web-1', 'web-2'] });
    const at = new Date(Date.now() - 600_000).toISOString();
    const offline = { taskId, host: 'web-1', step: 'nginx-offline', at };
    await shiplog.ingest.logSteps([{ ...offline, status: 'RUNNING' }]);
    const { page } = await openConsole(browser, shiplog.url, `/tasks/${taskId}`);
    await page.getByRole('button', { name: 'running 1' }).waitFor();
    await page.getByRole('region', { name: 'Failures' }).getByText('None.').waitFor();
    // It is counted once more when the task itself is told, unless that came first.
    const isSummary = (body: string | null) => body?.includes('DeploymentSummary') === true;
    await page
      .waitForResponse((response) => isSummary(response.request().postData()), { timeout: 3_000 })
      .catch(() => null);
    await shiplog.ingest.logSteps([{ ...offline, status: 'SUCCEEDED' }]);
    await page.getByRole('button', { name: /^out of rotation 1, longest 10 min/ }).waitFor();
    await page.close();
  });

  it('stands still when it is paused, says how far behind it is, and catches up', async () => {
    await shiplog.ingest.startTask({ id: 'paused-1', plan: ['only'], hosts: ['a', 'b', 'c'] });
    const { page } = await openConsole(browser, shiplog.url, '/tasks/paused-1');
    const board = page.getByRole('grid');
    await board.getByRole('button', { name: '3 hosts' }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const connection = page.getByRole('status', { name: 'Connection' });
    await connection.getByText('paused').waitFor();
    const ends = (host: string) => ({ taskId: 'paused-1', host, step: 'only', status: 'FAILED' });
    await shiplog.ingest.logSteps([ends('a'), ends('b')]);
    await connection.getByText('2 changes behind').waitFor();
    expect(await board.getByRole('gridcell', { name: 'FAILED' }).count()).toBe(0);
    expect(await board.getByRole('button', { name: '3 hosts' }).count()).toBe(1);
    await page.getByRole('button', { name: 'Resume' }).click();
    await board.getByRole('gridcell', { name: 'FAILED' }).first().waitFor();
    await connection.getByText('live').waitFor();
    await page.close();
  });

  it('shows the board also where it was paused before that came, and lets it stand from then on', async () => {
    const taskId = 'paused-2';
    await shiplog.ingest.startTask({ id: taskId, plan: ['only'], hosts: ['a', 'b', 'c'] });
    const { page } = await openConsole(browser, shiplog.url);
    let answer = (): void => {};
    const wanted = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route(/\/graphql$/, async (route) => {
      if (route.request().postData()?.includes('query BoardNow')) await wanted;
      await route.fallback();
    });
    await page.goto(`${shiplog.url}/tasks/${taskId}`);
    await page.getByText('of 3 hosts', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const connection = page.getByRole('status', { name: 'Connection' });
    await connection.getByText('paused').waitFor();
    answer();
    const board = page.getByRole('grid');
    await board.getByRole('button', { name: '3 hosts' }).waitFor();
    await shiplog.ingest.logSteps([{ taskId, host: 'a', step: 'only', status: 'FAILED' }]);
    await connection.getByText('1 change behind').waitFor();
    expect(await page.getByRole('button', { name: '1 failed' }).count()).toBe(0);
    expect(await board.getByRole('button', { name: '3 hosts' }).count()).toBe(1);
    await page.getByRole('button', { name: 'Resume' }).click();
    await board.getByRole('gridcell', { name: 'FAILED' }).waitFor();
    await page.close();
  });

  it.each([
    ['DeploymentSummary', '', '[aria-label="Failures"]'],
    ['HostNotes', '', '[role="grid"]'],
    ['RunDetails', '?host=a', '.drawer'],
  ])(
    'shows what %s told of a deployment that changed while it was asked',
    async (query, search, where) => {
      const taskId = `busy-${query}`;
      const event = (host: string, step: string, status: string) => ({
        taskId,
        host,
        step,
        status,
      });
      const failed = { ...event('a', 'download', 'FAILED'), error: { message: 'disk is full' } };
      await shiplog.ingest.startTask({ id: taskId, plan: PLAN, hosts: ['a', 'b', 'c'] });
      await shiplog.ingest.logSteps([failed]);
      const { page } = await openConsole(browser, shiplog.url);
      let asked = 0;
      let answer: (() => Promise<void>) | null = null;
      await page.route(/\/graphql$/, async (route) => {
        if (route.request().postData()?.includes(`query ${query}(`) !== true)
          await route.fallback();
        // Those that come later are not answered.
        else if (++asked === 1) answer = () => route.fallback();
      });
      await page.goto(`${shiplog.url}/tasks/${taskId}${search}`);
      await expect.poll(() => answer).not.toBeNull();
      await shiplog.ingest.logSteps([
        event('a', 'start', 'SKIPPED'),
        { ...event('b', 'download', 'FAILED'), error: { message: 'disk is full' } },
      ]);
      await page.getByRole('grid').getByRole('gridcell', { name: 'SKIPPED' }).waitFor();
      await page.locator('.deployment-head').getByText('failed 2').waitFor();
      await (answer as (() => Promise<void>) | null)?.();
      await page.locator(where).getByText('disk is full').first().waitFor();
      // What changed meanwhile is asked about, too.
      await expect.poll(() => asked).toBe(2);
      await page.close();
    },
  );

  it('goes by n and p from a host that did not fail to the first and the last that did', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/shop-1?host=web-00');
    await page.getByRole('button', { name: 'failed 2' }).waitFor();
    await page.keyboard.press('p');
    await page.getByRole('complementary', { name: 'web-19' }).waitFor();
    await page.goto(`${shiplog.url}/tasks/shop-1?host=web-00`);
    await page.getByRole('button', { name: 'failed 2' }).waitFor();
    await page.keyboard.press('n');
    await page.getByRole('complementary', { name: 'web-07' }).waitFor();
    await page.close();
  });

  it('leaves the focus on a host, and a group open, while their cells change', async () => {
    const taskId = 'moving-1';
    const event = (host: string, step: string, status: string) => ({ taskId, host, step, status });
    await shiplog.ingest.startTask({ id: taskId, plan: PLAN, hosts: ['a', 'b', 'c', 'd'] });
    await shiplog.ingest.logSteps([
      event('a', 'download', 'SUCCEEDED'),
      event('b', 'download', 'RUNNING'),
    ]);
    const { page } = await openConsole(browser, shiplog.url, `/tasks/${taskId}`);
    const board = page.getByRole('grid');
    const row = (host: string) =>
      board.getByRole('row').filter({ has: page.getByRole('link', { name: host, exact: true }) });
    const focused = (): Promise<string | null> =>
      page.evaluate('document.activeElement.textContent');
    await row('a').getByRole('link').focus();
    // It is the first row from now on.
    await shiplog.ingest.logSteps([event('a', 'start', 'FAILED')]);
    await row('a').getByRole('gridcell', { name: 'FAILED' }).waitFor();
    await expect.poll(() => row('a').getAttribute('aria-rowindex')).toBe('2');
    await expect.poll(focused).toBe('a');
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toBe('b');
    await shiplog.ingest.logSteps([event('b', 'download', 'SUCCEEDED')]);
    await row('b').getByRole('gridcell', { name: 'SUCCEEDED' }).waitFor();
    await expect.poll(focused).toBe('b');
    await shiplog.ingest.logSteps([event('b', 'start', 'SUCCEEDED')]);
    await row('b').getByRole('gridcell', { name: 'SUCCEEDED' }).nth(1).waitFor();
    await board.getByRole('button', { name: '2 hosts' }).click();
    await row('d').waitFor();
    await shiplog.ingest.logSteps([
      event('c', 'download', 'SUCCEEDED'),
      event('d', 'download', 'SUCCEEDED'),
    ]);
    await row('c').getByRole('gridcell', { name: 'SUCCEEDED' }).waitFor();
    await row('d').getByRole('gridcell', { name: 'SUCCEEDED' }).waitFor();
    await board.getByRole('button', { name: '2 hosts', expanded: true }).click();
    await row('d').waitFor({ state: 'detached' });
    expect(await row('c').count()).toBe(0);
    await page.close();
  });

  it('says of a run which numbers are missing, what ran, and what earlier attempts came to', async () => {
    const event = (sequence: number, more: object) => ({
      taskId: 'holes-1',
      host: 'a',
      step: 'only',
      writer: 'agent-1',
      sequence,
      ...more,
    });
    await shiplog.ingest.logSteps([
      event(1, { status: 'RUNNING', command: 'deploy --fast', params: { target: '/srv/app' } }),
      event(2, { status: 'FAILED', error: { message: 'no route to host' } }),
      event(6, { status: 'RUNNING', attempt: 2, command: 'deploy --fast' }),
      event(7, { status: 'FAILED', attempt: 2, exitCode: 3, error: { message: 'disk full' } }),
    ]);
    const { page } = await openConsole(browser, shiplog.url, '/tasks/holes-1?host=a');
    const drawer = page.getByRole('complementary', { name: 'a' });
    await drawer.getByText('missing 3–5 of agent-1').waitFor();
    await drawer.getByText('exit code 3', { exact: true }).waitFor();
    await drawer.getByText('no route to host').first().waitFor();
    await drawer.getByRole('button', { name: 'attempt 1' }).click();
    const log = drawer.getByRole('log');
    await log.getByText('disk full').waitFor({ state: 'detached' });
    await log.getByText('no route to host').waitFor();
    await page.close();
  });

  it('waits for one that has not begun', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/tasks/not%2Fyet%20there');
    await page.getByRole('heading', { name: 'not/yet there' }).waitFor();
    await page.getByText('Nothing was reported of it yet').waitFor();
    await shiplog.ingest.startTask({ id: 'not/yet there', plan: ['x'], hosts: ['a'] });
    await page.getByText('of 1 host', { exact: true }).waitFor();
    await page.close();
  });

  it('names five hosts of a cause, and says how many more there are', async () => {
    const hosts = Array.from({ length: 7 }, (_, at) => `db-${at}`);
    await shiplog.ingest.logSteps(
      hosts.map((host) => ({
        ...{ taskId: 'many-1', host, step: 'only', status: 'FAILED' },
        error: { message: 'no space left' },
      })),
    );
    const { page } = await openConsole(browser, shiplog.url, '/tasks/many-1');
    const cause = page.getByRole('region', { name: 'Failures' }).getByRole('listitem');
    await cause.getByText('7 hosts').waitFor();
    await cause.getByText('and 2 more').waitFor();
    expect(await cause.getByRole('link').count()).toBe(5);
    for (const name of ['Steps', 'Board', 'Log']) {
      expect(await page.getByRole('region', { name, exact: true }).count(), name).toBe(1);
    }
    await page.close();
  });

  it('shows the fifty largest causes, and says where all hosts that failed are', async () => {
    const letters = [...'abcdefghij'];
    const causes = letters.flatMap((first) => letters.map((second) => `k${first}k${second}`));
    const fails = (count: number, taskId: string) =>
      shiplog.ingest.logSteps(
        causes.slice(0, count).map((cause) => ({
          ...{ taskId, host: `host-${cause}`, step: 'only', status: 'FAILED' },
          error: { message: `${cause} went wrong` },
        })),
      );
    await fails(50, 'causes-50');
    await fails(51, 'causes-51');
    const { page } = await openConsole(browser, shiplog.url, '/tasks/causes-51');
    const failures = page.getByRole('region', { name: 'Failures' });
    const note = failures.getByText('These are the 50 largest causes');
    await note.waitFor();
    expect(await failures.getByRole('listitem').count()).toBe(50);
    await note.getByRole('link', { name: 'board' }).click();
    await page.getByRole('button', { name: 'failed 51', pressed: true }).waitFor();
    await page.goto(`${shiplog.url}/tasks/causes-50`);
    await expect.poll(() => failures.getByRole('listitem').count()).toBe(50);
    expect(await note.count()).toBe(0);
    await page.close();
  });

  it('tells every status by a sign and a word of its own, never by a colour alone', async () => {
    const of = (taskId: string) => (host: string, status: string) => ({
      ...{ taskId, host, status },
      step: 'only',
    });
    const [ends, goesOn] = [of('ended-1'), of('going-1')];
    const later = { plan: ['only'], hosts: ['late'] };
    await shiplog.ingest.startTask({ id: 'ended-1', ...later });
    await shiplog.ingest.startTask({ id: 'going-1', ...later });
    await shiplog.ingest.logSteps([
      ...['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'SKIPPED', 'CANCELLED'].map((status) =>
        ends(status.toLowerCase(), status),
      ),
      goesOn('running', 'RUNNING'),
    ]);
    await shiplog.ingest.finishTask({ id: 'ended-1' });
    const { page } = await openConsole(browser, shiplog.url, '/tasks/ended-1');
    const signs = new Map<string, string>();
    const look = async (last: string) => {
      const cells = page.getByRole('grid').getByRole('gridcell');
      await cells.and(page.getByLabel(last, { exact: true })).waitFor();
      for (const cell of await cells.and(page.locator('[aria-label]')).all()) {
        const word = await cell.getAttribute('aria-label');
        if (word !== null) signs.set(word, (await cell.textContent()) ?? '');
      }
    };
    await look('NOT RUN');
    await page.goto(`${shiplog.url}/tasks/going-1`);
    await look('RUNNING');
    await page.goto(`${shiplog.url}/?q=ended-1`);
    const status = page.getByRole('row').filter({ hasText: 'ended-1' }).locator('.status');
    await status.getByText('PARTIAL').waitFor();
    const [sign = '', word = ''] = ((await status.textContent()) ?? '').trim().split(' ');
    signs.set(word, sign);
    expect([...signs.keys()].sort()).toEqual(
      'CANCELLED,FAILED,NOT RUN,PARTIAL,PENDING,RUNNING,SKIPPED,SUCCEEDED,TIMED OUT'.split(','),
    );
    expect(new Set(signs.values()).size).toBe(signs.size);
    expect([...signs.values()].every((one) => [...one].length === 1 && one !== '?')).toBe(true);
    await page.close();
  });

  it('leads to the failing line by keys alone', async () => {
    const { page } = await openConsole(browser, shiplog.url, '/?q=shop-1');
    const focused = (): Promise<string | null> =>
      page.evaluate('document.activeElement.textContent');
    const tabTo = async (text: string) => {
      for (let stop = 0; stop < 40 && (await focused()) !== text; stop++) {
        await page.keyboard.press('Tab');
      }
      expect(await focused()).toBe(text);
    };
    await page.getByRole('link', { name: 'shop-1' }).waitFor();
    await tabTo('shop-1');
    await page.keyboard.press('Enter');
    const failures = page.getByRole('region', { name: 'Failures' });
    await failures.getByRole('link', { name: 'web-07' }).waitFor();
    await tabTo('web-07');
    await page.keyboard.press('Enter');
    const log = page.getByRole('complementary', { name: 'web-07' }).getByRole('log');
    await log.locator('[aria-current="true"]').getByText('port 8080 is taken').waitFor();
    await page.close();
  });

  it('opens GraphiQL with the query behind it, as every view does', async () => {
    const views = [
      ['/', 'Deployments'],
      ['/tasks/shop-1', 'DeploymentSummary'],
      ['/tasks/shop-1?host=web-07', 'RunDetails'],
      ['/search', 'SearchEvents'],
      ['/steps', 'StepStatistics'],
      ['/hosts', 'Hosts'],
      ['/hosts/web-07', 'HostHistory'],
    ] as const;
    const { page } = await openConsole(browser, shiplog.url);
    for (const [path, name] of views) {
      await page.goto(shiplog.url + path);
      const link = page.getByRole('link', { name: 'GraphiQL', exact: true });
      await expect.poll(() => link.getAttribute('href')).toContain(`query=query+${name}`);
      const address = new URL((await link.getAttribute('href')) as string, shiplog.url);
      const query = address.searchParams.get('query') as string;
      const variables = JSON.parse(address.searchParams.get('variables') as string);
      expect((await shiplog.graphql({ query, variables })).errors, path).toBeUndefined();
    }
    await page.close();
  });

  it.each(['/', '/tasks/shop-1', '/tasks/shop-1?host=web-07'])(
    'has nothing serious for axe, and can be read on a phone, at %s',
    async (path) => {
      const { page } = await openConsole(browser, shiplog.url, path);
      const reason = page.getByText(/port .* is taken/).first();
      await reason.waitFor();
      expect(await seriousProblems(page)).toEqual([]);
      expect(await overflowOnPhone(page)).toBeLessThanOrEqual(0);
      await reason.waitFor();
      await page.close();
    },
  );
});
