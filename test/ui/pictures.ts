/**
 * Takes the pictures of the documentation anew: `npm run pictures`. A server with a week of simulated
 * deployments, one of them running, and every view of it, light and dark, wide and on a phone. With a
 * palette of 64 colours they are a third of their size.
 */
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../http/browser.ts';
import { startCli } from '../support/cli.ts';
import { startServer } from '../support/server.ts';

const FOLDER = fileURLToPath(new URL('../../docs/console/', import.meta.url));
const HOUR = 3_600_000;
const SIZES = { wide: { width: 1280, height: 860 }, phone: { width: 360, height: 740 } } as const;

interface Simulated {
  task: string;
  hosts: number;
  failRate: number;
  hoursAgo: number;
  version: string;
  environment?: string;
}

/** Newest last. */
const DEPLOYMENTS: readonly Simulated[] = [
  ...[6, 5, 4, 3, 2, 1]
    .flatMap((days) => [
      { task: `shop-${41 - days}`, hosts: 60, failRate: 0.05, hoursAgo: days * 24 + 1 },
      {
        task: `pay-${19 - days}`,
        hosts: 30,
        failRate: days % 2 === 0 ? 0 : 0.05,
        hoursAgo: days * 24,
      },
    ])
    .map((one, at) => ({ ...one, version: `2.3.${at}` })),
  { task: 'shop-42', hosts: 2_000, failRate: 0.01, hoursAgo: 1, version: '2.4.0' },
  { task: 'pay-19', hosts: 300, failRate: 0, hoursAgo: 0.7, version: '1.9.0' },
  {
    task: 'orders-9',
    hosts: 120,
    failRate: 0.05,
    hoursAgo: 0.5,
    version: '3.1.0',
    environment: 'staging',
  },
];
const RUNNING: Simulated = {
  task: 'shop-43',
  hosts: 800,
  failRate: 0.02,
  hoursAgo: 0.02,
  version: '2.4.1',
};

interface View {
  name: string;
  path: string;
  /** Until what is to be seen is there. */
  ready: (page: Page) => Promise<unknown>;
}

const VIEWS: readonly View[] = [
  {
    name: 'deployments',
    path: '/',
    ready: async (page) => {
      await page.getByText('✖').first().waitFor();
      await page.getByRole('link', { name: RUNNING.task }).waitFor();
    },
  },
  {
    name: 'deployment',
    path: '/tasks/shop-42',
    ready: async (page) => {
      await page.getByRole('region', { name: 'Failures' }).getByRole('link').first().waitFor();
      await page.getByRole('log').getByText('INFO').first().waitFor();
    },
  },
  {
    name: 'run',
    path: '/tasks/shop-42',
    ready: async (page) => {
      await page.getByRole('region', { name: 'Failures' }).getByRole('link').first().click();
      await page.locator('[aria-current="true"]').first().waitFor();
      await page.mouse.move(0, 0);
    },
  },
  {
    name: 'search',
    path: '/search?q=checksum&last=7d',
    ready: (page) => page.locator('.results mark').first().waitFor(),
  },
  {
    name: 'steps',
    path: '/steps',
    ready: (page) =>
      page
        .getByText(/known since|new/)
        .first()
        .waitFor(),
  },
  { name: 'hosts', path: '/hosts', ready: (page) => page.locator('tbody tr').first().waitFor() },
];

function simulate(url: string, one: Simulated, speed: number) {
  const { task, hosts, failRate, hoursAgo, version, environment = 'production' } = one;
  const [service = ''] = task.split('-');
  const at = new Date(Date.now() - hoursAgo * HOUR).toISOString();
  const named = {
    task,
    hosts,
    'fail-rate': failRate,
    seed: task,
    service,
    version,
    environment,
    at,
    url,
    speed,
  };
  const options = Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return startCli(['simulate', '--no-color', ...options]);
}

async function picture(
  browser: Browser,
  url: string,
  view: View,
  size: 'wide' | 'phone',
  theme: 'light' | 'dark',
) {
  const page = await browser.newPage({ viewport: SIZES[size], colorScheme: theme });
  await page.goto(url + view.path);
  await view.ready(page);
  await page.getByRole('status', { name: 'Connection' }).getByText('live').waitFor();
  // Charts, notes of hosts and what else is asked for behind the first drawing.
  await page.waitForLoadState('networkidle');
  await page.screenshot({ path: `${FOLDER}${view.name}-${size}-${theme}.png` });
  await page.close();
}

await using server = await startServer();
for (const one of DEPLOYMENTS) await simulate(server.url, one, 0).ended;
const running = simulate(server.url, RUNNING, 5);
const browser = await startBrowser();
for (const view of VIEWS) {
  for (const size of ['wide', 'phone'] as const) {
    for (const theme of ['light', 'dark'] as const)
      await picture(browser, server.url, view, size, theme);
  }
}
await browser.close();
running.child.kill();
