/**
 * The console in a real browser: how much is loaded before the first view, how soon a large board is
 * there, whether it stays quick while thousands of events a second come, and how long it takes to any
 * place of a long log.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { builtConsole } from '../../src/http/console-build.ts';
import { startBrowser } from '../../test/http/browser.ts';
import { graphql, type Served, serveShiplog } from '../process.ts';
import {
  atLeast,
  atMost,
  type BenchOptions,
  type Measurement,
  median,
  quantile,
  type Row,
} from '../row.ts';
import { fillBoard } from './board.ts';

const HOSTS = 5_000;
const TASK = 'console';
const LOG = 'mutation ($inputs: [StepEventInput!]!) { logSteps(inputs: $inputs) { stored } }';
const RATE = 2_000;
const LIVE_MS = 60_000;
const LINES = 1_000_000;
const ROUNDS = 5;
const JUMPS = 12;
const LOOKS = 5;
const LOOK_MS = 300;
/** Lines a second of a log that is followed, each acknowledged, and told, on its own. */
const LINE_RATE = 1_000;
const LINE_WRITERS = 16;
const FOLLOWED_MS = 15_000;
/** Until the log that is shown beside the board holds all the lines that it ever keeps. */
const WARM_UP_MS = 8_000;

export const consoleMeasurement: Measurement = {
  name: 'console',
  about: 'the console: size, first board, frames, clicks and heap while live, jumps in a long log',
  async run(options) {
    const server = await serveShiplog({ nodeFlags: options.nodeFlags });
    const browser = await startBrowser();
    try {
      return [
        await size(server.url),
        await firstBoard(server, browser, options),
        ...(await live(server, browser, options)),
        ...(await followed(server, browser, options)),
        ...(await jumps(server, browser, options)),
      ];
    } finally {
      await browser.close();
      await server.stop();
    }
  },
};

/** Of the scripts that the page names, as a browser gets them. */
async function size(url: string): Promise<Row> {
  const html = await (await fetch(url)).text();
  const names = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(
    (found) => found[1],
  );
  const folder = await builtConsole();
  const bytes = names.reduce((sum, name) => {
    const file = join(folder, `${name}.br`);
    return sum + (existsSync(file) ? statSync(file).size : Number.NaN);
  }, 0);
  const kilobytes = bytes / 1_000;
  return {
    what: 'compressed JavaScript before the first view, KB',
    ours: kilobytes,
    aim: atMost(kilobytes, 60),
  };
}

async function firstBoard(server: Served, browser: Browser, options: BenchOptions): Promise<Row> {
  options.say(`${HOSTS} hosts are reported`);
  // One more is expected: the deployment goes on, as one does that is watched.
  await fillBoard(server.url, TASK, HOSTS, HOSTS + 1);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const page = await browser.newPage();
    const before = performance.now();
    await page.goto(`${server.url}/tasks/${TASK}`);
    await page.getByRole('grid').getByRole('gridcell').first().waitFor();
    times.push(performance.now() - before);
    await page.close();
  }
  const ms = median(times);
  return { what: `first board of ${HOSTS} hosts, ms`, ours: ms, aim: atMost(ms, 1_000) };
}

/** Kept by the page: times between frames, tasks over 50 ms, and what clicks waited. */
const WATCH = `window.seen = { frames: [], longTasks: 0, clicks: [] };
let last = performance.now();
const frame = (now) => { seen.frames.push(now - last); last = now; requestAnimationFrame(frame); };
requestAnimationFrame(frame);
new PerformanceObserver((list) => { seen.longTasks += list.getEntries().length; })
  .observe({ type: 'longtask' });
addEventListener('click', (event) => {
  const began = event.timeStamp;
  requestAnimationFrame(() => setTimeout(() => seen.clicks.push(performance.now() - began)));
}, true);`;

/** What was kept until now, and no longer is: it is not the console's heap. */
const TAKE = `(() => {
  const taken = { ...seen };
  seen.frames = [];
  seen.clicks = [];
  return taken;
})()`;

interface Seen {
  frames: number[];
  longTasks: number;
  clicks: number[];
}

async function live(server: Served, browser: Browser, options: BenchOptions): Promise<Row[]> {
  const ms = options.huge ? 5 * LIVE_MS : LIVE_MS;
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(`${server.url}/tasks/${TASK}`);
  await page.getByRole('grid').getByRole('gridcell').first().waitFor();
  options.say(`${RATE} events a second for ${ms / 1_000} s`);
  const load = report(server, performance.now() + ms);
  const session = await page.context().newCDPSession(page);
  const choose = async (name: 'running' | 'all') => {
    const { x, y } = (await inPage(session, `(${placeOf})('${name}')`)) as { x: number; y: number };
    await page.mouse.click(x, y);
  };
  await page.waitForTimeout(WARM_UP_MS);
  // What is compiled at the first use is there before and afterwards.
  for (let click = 0; click < 6; click++) await choose(click % 2 === 0 ? 'running' : 'all');
  const before = await heap(page);
  await inPage(session, WATCH);
  const until = performance.now() + ms - 5_000;
  for (let click = 0; performance.now() < until; click++) {
    await choose(click % 2 === 0 ? 'running' : 'all');
    await page.waitForTimeout(300 + Math.random() * 400);
  }
  await choose('all');
  const seen = (await inPage(session, TAKE)) as Seen;
  const events = await load;
  const after = await heap(page);
  await page.close();
  const frames = quantile(seen.frames, 0.95);
  const clicks = quantile(seen.clicks, 0.95);
  const grown = after / before;
  const rate = events / (ms / 1_000);
  return [
    {
      what: 'events a second that were reported meanwhile',
      ours: rate,
      aim: atLeast(rate, RATE * 0.95),
    },
    { what: '95 % of frames came within, ms', ours: frames, aim: atMost(frames, 16.8) },
    { what: 'tasks over 50 ms, of all frames', ours: `${seen.longTasks} of ${seen.frames.length}` },
    { what: '95 % of clicks were drawn within, ms', ours: clicks, aim: atMost(clicks, 50) },
    {
      what: 'heap afterwards ÷ before',
      ours: grown,
      aim: atMost(grown, 1.2),
      note: `${before.toFixed(1)} MB`,
    },
  ];
}

/** Runs in the page: where to click for a filter of the board. */
const placeOf = `(name) => {
  const filters = [...document.querySelectorAll('.board-filters button')];
  const filter = filters.find(({ textContent }) => textContent.startsWith(name));
  filter.scrollIntoView({ block: 'nearest' });
  const { left, top, height } = filter.getBoundingClientRect();
  return { x: left + 8, y: top + height / 2 };
}`;

/**
 * Not by the page of Playwright, nor by its locators: they bring scripts of their own, which are compiled
 * in the page the more often they run, and would be measured as the console's heap and frames.
 */
async function inPage(session: CDPSession, expression: string): Promise<unknown> {
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression,
    returnByValue: true,
  });
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description);
  return result.value;
}

async function followed(
  server: Served,
  browser: Browser,
  options: BenchOptions,
): Promise<readonly Row[]> {
  const path = '/tasks/followed?host=web-1';
  let line = 0;
  const write = () => {
    const input = { taskId: 'followed', host: 'web-1', step: 'unpack', message: `line ${line++}` };
    return graphql(server.url, LOG, { inputs: [input] });
  };
  for (let at = 0; at < 200; at++) await write();
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(server.url + path);
  await page.getByText('line 199', { exact: true }).waitFor();
  options.say(`${LINE_RATE} lines a second, one at a time, for ${FOLLOWED_MS / 1_000} s`);
  await page.evaluate(WATCH);
  const began = performance.now();
  const until = began + FOLLOWED_MS;
  const writers = Array.from({ length: LINE_WRITERS }, async () => {
    while (performance.now() < until) {
      const ahead = line - 200 - ((performance.now() - began) * LINE_RATE) / 1_000;
      if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
      await write();
    }
  });
  await Promise.all(writers);
  const rate = (line - 200) / ((performance.now() - began) / 1_000);
  const seen = (await page.evaluate('seen')) as Seen;
  await page.close();
  const frames = quantile(seen.frames, 0.95);
  return [
    {
      what: 'lines a second of a log that is followed, each told on its own',
      ours: rate,
      aim: atLeast(rate, LINE_RATE * 0.95),
    },
    { what: '95 % of its frames came within, ms', ours: frames, aim: atMost(frames, 16.8) },
  ];
}

/** As many agents do: what one of them waits for keeps the others from nothing. */
const IN_FLIGHT = 4;

/** Steps of all hosts that go on, at a steady rate; resolves to how many were reported. */
async function report(server: Served, until: number): Promise<number> {
  const size = RATE / 10;
  let sent = 0;
  const inFlight = new Set<Promise<void>>();
  while (performance.now() < until) {
    const next = performance.now() + 100;
    const inputs = Array.from({ length: size }, (_, at) => {
      const number = sent + at;
      const round = Math.floor(number / HOSTS);
      return {
        taskId: TASK,
        host: `web-${String(number % HOSTS).padStart(5, '0')}`,
        step: 'backup',
        attempt: 2 + (round >> 1),
        status: round % 2 === 0 ? 'RUNNING' : 'SUCCEEDED',
      };
    });
    while (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
    const request: Promise<void> = graphql(server.url, LOG, { inputs }).then(() => {
      inFlight.delete(request);
    });
    inFlight.add(request);
    sent += size;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
  }
  await Promise.all(inFlight);
  return sent;
}

/** What is in use after a collection, in MB: the least of some, for batches come and go meanwhile. */
async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const sizes: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await page.waitForTimeout(LOOK_MS);
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    sizes.push(metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? Number.NaN);
  }
  await session.detach();
  return Math.min(...sizes) / 1e6;
}

async function jumps(server: Served, browser: Browser, options: BenchOptions): Promise<Row[]> {
  options.say(`${LINES.toLocaleString('en')} lines are reported`);
  for (let from = 0; from < LINES; from += 1_000) {
    const inputs = Array.from({ length: 1_000 }, (_, at) => ({
      taskId: 'long',
      host: 'web-1',
      step: 'unpack',
      at: Date.parse('2026-03-01T10:00:00Z') + (from + at) * 4,
      message: `line ${from + at} of a tool that says what it does`,
    }));
    await graphql(server.url, LOG, { inputs });
  }
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(`${server.url}/tasks/long?host=web-1`);
  await page.getByText(`~ ${LINES.toLocaleString('en')} lines`).waitFor();
  const times: number[] = [];
  for (let jump = 0; jump < JUMPS; jump++) {
    times.push((await page.evaluate(`(${jumpIn})(${(jump * 0.618) % 1})`)) as number);
  }
  const megabytes = await heap(page);
  await page.close();
  const ms = quantile(times, 0.95);
  return [
    {
      what: `95 % of jumps in ${LINES.toLocaleString('en')} lines, ms`,
      ours: ms,
      aim: atMost(ms, 200),
      note: `median ${median(times).toFixed(0)} ms`,
    },
    { what: 'heap with that log open, MB', ours: megabytes },
  ];
}

/** Runs in the page: to a share of the log; resolves to how long it took until its lines were drawn. */
const jumpIn = `(share) => new Promise((resolve) => {
  const box = document.querySelector('.log-lines');
  const began = performance.now();
  box.scrollTop = share * (box.scrollHeight - box.clientHeight);
  const look = () => {
    const { left, top, height } = box.getBoundingClientRect();
    const row = document.elementFromPoint(left + 40, top + height / 2);
    if (row?.closest('[data-line]')) setTimeout(resolve, 300, performance.now() - began);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})`;
