/** Shiplog.java where the disk is full, others answer for the server, or what is said is odd. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request as send,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { type Agent, LANGUAGES, startAgent } from './agent.ts';
import { storedMessages } from './spooled.ts';
import { isDense, linesOf, type StoredTask, storedTask } from './stored.ts';

const LONG_MS = 60_000;
const NOBODY = 'http://127.0.0.1:9';

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);

/** How many events each notice stands for. */
function gaveWayIn(task: StoredTask): number[] {
  return task.events.flatMap(({ message }) => {
    const [, count] = /^\[shiplog\] (\d+) .* dropped here/.exec(message ?? '') ?? [];
    return count === undefined ? [] : [Number(count)];
  });
}

describe.runIf(LANGUAGES.includes('java'))('Shiplog.java', () => {
  let directory: string;
  let server: TestServer;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shiplog-java-'));
    server = await startServer();
    await startAgent('java', settings('x')).kill();
  }, LONG_MS);
  afterAll(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const settings = (name: string, url = NOBODY) => ({
    SHIPLOG_URL: url,
    SHIPLOG_SPOOL: join(directory, name),
  });

  /** What the next agent with this directory delivers; it must be able to deliver all. */
  async function delivered(name: string): Promise<StoredTask> {
    const agent = startAgent('java', settings(name, server.url));
    expect((await agent.call('close', 20)).result, agent.stderr()).toBe('0');
    expect(await agent.end()).toBe(0);
    return stored(name);
  }

  async function stored(name: string): Promise<StoredTask> {
    const found = await storedTask(server, name, 'web-1');
    if (found === null) throw new Error(`the server knows of no task ${name}`);
    return found;
  }

  describe('where the disk is full', () => {
    it(
      'keeps what the agents before it left, until it has written all of it itself',
      async () => {
        const first = startAgent('java', settings('adopted'));
        await first.call('step', 'adopted', 'web-1', 'download');
        await first.call('lines', 1, 300);
        await first.kill();
        const second = startAgent('java', settings('adopted'));
        await fillDisk(second);
        await second.call('step', 'adopted', 'web-1', 'download');
        expect(second.stderr()).toContain('spool');
        await second.kill();
        const third = startAgent('java', settings('adopted'));
        await fillDisk(third);
        await third.call('step', 'adopted', 'web-1', 'download');
        await third.call('close', 0);
        await third.end();
        const found = await delivered('adopted');
        expect(linesOf(found)).toEqual(numbers(1, 300));
        expect(await readdir(settings('adopted').SHIPLOG_SPOOL)).toEqual([]);
      },
      LONG_MS,
    );

    it(
      'writes what found no room as soon as there is some, and when it is closed',
      async () => {
        for (const end of ['killed', 'closed']) {
          const agent = startAgent('java', settings(end));
          await agent.call('step', end, 'web-1', 'download');
          await agent.call('lines', 1, 10);
          const makeRoom = await fillDisk(agent);
          await agent.call('lines', 11, 20);
          await makeRoom();
          if (end === 'killed') await agent.call('lines', 21, 30);
          else await agent.call('close', 0);
          await agent.kill();
          const found = await delivered(end);
          expect(linesOf(found)).toEqual(numbers(1, end === 'killed' ? 30 : 20));
          expect(isDense(found)).toBe(true);
        }
      },
      LONG_MS,
    );

    it(
      'says once, and not with each delivery, that the disk is full',
      async () => {
        const agent = startAgent('java', settings('said-once', server.url));
        await agent.call('step', 'said-once', 'web-1', 'download');
        await fillDisk(agent);
        for (const line of ['x'.repeat(200), 'y'.repeat(200), 'z'.repeat(200)]) {
          await agent.call('line', line);
          expect((await agent.call('flush', 20)).result).toBe('true');
        }
        await agent.kill();
        expect(agent.stderr()).toMatch(/^shiplog: spool: [^\n]*\n$/);
      },
      LONG_MS,
    );

    it(
      'keeps what is said afterwards in its file though a thread was interrupted in a call',
      async () => {
        const agent = startAgent('java', settings('interrupted'));
        await agent.call('step', 'interrupted', 'web-1', 'download');
        expect((await agent.call('interrupted-line', 'line 1')).result).toBe('true');
        await agent.kill();
        expect(linesOf(await delivered('interrupted'))).toEqual([1]);
      },
      LONG_MS,
    );

    it(
      'reports from memory where it has no directory at all, and no complaint can be written',
      async () => {
        await writeFile(join(directory, 'file'), '');
        const env = settings('file/spool', server.url);
        const agent = startAgent('java', { ...env, COMPLAINING_FAILS: 'yes' });
        await agent.call('step', 'homeless', 'web-1', 'download');
        await agent.call('lines', 1, 10);
        // The server wants another name, which is said, too.
        await agent.call('step', 'homeless', 'bad*host', 'download');
        await agent.call('line', 'refused');
        await agent.call('step', 'homeless', 'web-1', 'download');
        await agent.call('lines', 11, 20);
        expect((await agent.call('close', 20)).result).toBe('0');
        expect(await agent.end()).toBe(0);
        expect(linesOf(await stored('homeless'))).toEqual(numbers(1, 20));
        expect(agent.stderr()).toContain('spool');
      },
      LONG_MS,
    );
  });

  describe('where the queue is full', () => {
    const QUEUE_BYTES = 100_000;
    let silent: Server;

    beforeAll(async () => {
      silent = await listen((request) => request.resume());
    });
    afterAll(() => {
      silent.closeAllConnections();
      silent.close();
    });

    const fullAgent = (name: string) =>
      startAgent('java', {
        ...settings(name, addressOf(silent)),
        SHIPLOG_QUEUE_BYTES: `${QUEUE_BYTES}`,
      });

    it(
      'says for each of two steps that report in turn how much gave way, and keeps their ends',
      async () => {
        const agent = fullAgent('in-turn');
        await agent.call('in-turn', 'in-turn', 'web-1', 1, 4_000);
        const messages = await storedMessages(settings('in-turn').SHIPLOG_SPOOL);
        await agent.kill();
        const found = await delivered('in-turn');
        const gaveWay = gaveWayIn(found);
        const seen = linesOf(found);
        expect(gaveWay.length).toBeGreaterThan(0);
        // Some more than two: what is being sent stays as it is.
        expect(gaveWay.length).toBeLessThan(20);
        expect(seen.length + sum(gaveWay)).toBe(4_000);
        expect(seen.at(-1)).toBe(4_000);
        expect(messages.length).toBeLessThan(1_000);
        const numbered = found.events.map(({ sequence }) => sequence ?? 0);
        expect(numbered).toEqual([...numbered].sort((a, b) => a - b));
        expect(found.events.filter(({ status }) => status === 'SUCCEEDED').length).toBe(2);
        expect(found.run?.step?.status).toBe('SUCCEEDED');
      },
      LONG_MS,
    );

    it(
      'stays within its bounds though no two of its events are of one step, and says so',
      async () => {
        const agent = fullAgent('short-steps');
        await agent.call('short-steps', 'short-steps', 'web-1', 1, 4_000);
        const spool = settings('short-steps').SHIPLOG_SPOOL;
        const names = (await readdir(spool)).filter((name) => name.endsWith('.ndjson'));
        const sizes = await Promise.all(
          names.map(async (name) => (await stat(join(spool, name))).size),
        );
        expect(sizes.length).toBe(1);
        expect(sizes[0]).toBeLessThan(4 * QUEUE_BYTES);
        await agent.kill();
        expect(agent.stderr()).toContain('the queue holds nothing else');
        const found = await delivered('short-steps');
        expect(found.events.length).toBeGreaterThan(QUEUE_BYTES / 1_000);
        expect(found.events.at(-1)?.status).toBe('SUCCEEDED');
      },
      LONG_MS,
    );
  });

  describe.concurrent('where what answers is foreign, slow or takes only little', () => {
    it(
      'counts nothing as delivered for an answer that is not the server’s own',
      async () => {
        const foreign = [
          [200, '{"status":"maintenance"}'],
          [200, '{"data":{}}'],
          [200, '{"taken":1000}'],
          [200, '['.repeat(200_000)],
          [422, '{"results":[]}'],
          [503, '{"stored":0,"error":{"message":"busy"},"taken":-5}'],
        ] as const;
        const left = new Map([
          ['/graphql', [...foreign]],
          ['/v1/events', [...foreign]],
        ]);
        const proxy = await answersFirst(left, 'application/json', server.url);
        const agent = startAgent('java', settings('foreign', addressOf(proxy)));
        await agent.call('start', 'foreign', 'shop', '1.4.2');
        await agent.call('step', 'foreign', 'web-1', 'download');
        await agent.call('line', 'line 1');
        // Somebody waits: pauses are short.
        expect((await agent.call('flush', 40)).result, agent.stderr()).toBe('true');
        await agent.call('close', 20);
        await agent.end();
        proxy.close();
        expect([...left.values()]).toEqual([[], []]);
        const found = await stored('foreign');
        expect(found.service).toBe('shop');
        expect(linesOf(found)).toEqual([1]);
      },
      LONG_MS,
    );

    it(
      'drops what the server refuses, and nothing where a proxy before it refuses a request',
      async () => {
        const certificate = '<html><body>400 No required SSL certificate was sent</body></html>';
        const left = new Map([
          ['/graphql', [[400, certificate]] as [number, string][]],
          [
            '/v1/events',
            [
              [400, certificate],
              [415, ''],
              [422, '{"message":"no"}'],
              [400, '{"error":{"code":400,"message":"no route"}}'],
            ] as [number, string][],
          ],
        ]);
        const proxy = await answersFirst(left, 'text/html', server.url);
        const agent = startAgent('java', settings('before-it', addressOf(proxy)));
        await agent.call('start', '', 'shop', '1.4.2');
        await agent.call('step', 'before-it', 'web-1', 'download');
        await agent.call('lines', 1, 10);
        expect((await agent.call('flush', 40)).result, agent.stderr()).toBe('true');
        await agent.call('close', 20);
        await agent.end();
        proxy.close();
        expect([...left.values()]).toEqual([[], []]);
        expect(linesOf(await stored('before-it'))).toEqual(numbers(1, 10));
        const said = agent
          .stderr()
          .split('\n')
          .filter((line) => line.startsWith('shiplog: '));
        expect(said).toEqual([
          expect.stringContaining('answered 400, but not as Shiplog does'),
          expect.stringMatching(/^shiplog: an event was dropped: 400: .*id/),
        ]);
      },
      LONG_MS,
    );

    it(
      'gets through a slow link in smaller requests, and counts what came without an answer once',
      async () => {
        const sizes: number[] = [];
        const [first, second, third] = [0, 1, 2].map(() => Promise.withResolvers<void>());
        const filled = Promise.withResolvers<void>();
        const proxy = await listen((request, response) => {
          sizes.push(Number(request.headers['content-length']));
          if (sizes.length === 1) {
            // Until all lines wait, so that they go together.
            request.resume();
            void first?.promise.then(() => response.writeHead(503).end());
          } else if (sizes.length === 2) {
            const isStored = () => second?.resolve();
            passOn(request, response, server.url, isStored);
          } else {
            third?.resolve();
            void filled.promise.then(() => passOn(request, response, server.url));
          }
        });
        const env = { ...settings('slow', addressOf(proxy)), SHIPLOG_QUEUE_BYTES: '120000' };
        const agent = startAgent('java', env);
        await agent.call('step', 'slow', 'web-1', 'download');
        await agent.call('lines', 1, 100);
        first?.resolve();
        await second?.promise;
        await third?.promise;
        await agent.call('lines', 101, 2_000);
        filled.resolve();
        expect((await agent.call('flush', 40)).result, agent.stderr()).toBe('true');
        await agent.call('close', 20);
        await agent.end();
        proxy.close();
        const [, all = 0, half = 0, ...later] = sizes;
        expect(half).toBeLessThanOrEqual(all / 2);
        expect(Math.max(...later)).toBeGreaterThan(half);
        const found = await stored('slow');
        const seen = linesOf(found);
        expect(seen.slice(0, 100)).toEqual(numbers(1, 100));
        expect(seen.length).toBeLessThan(2_000);
        expect(seen.length + sum(gaveWayIn(found))).toBe(2_000);
      },
      LONG_MS,
    );

    it(
      'tries again after five seconds where an answer begins and does not end',
      async () => {
        let requests = 0;
        const second = Promise.withResolvers<void>();
        const proxy = await listen((request, response) => {
          request.resume();
          response.writeHead(200, { 'content-type': 'application/json' }).write('{');
          requests++;
          if (requests === 2) second.resolve();
        });
        const agent = startAgent('java', settings('endless', addressOf(proxy)));
        await agent.call('step', 'endless', 'web-1', 'download');
        await agent.call('line', 'line 1');
        await second.promise;
        await agent.kill();
        proxy.closeAllConnections();
        proxy.close();
        expect(linesOf(await delivered('endless'))).toEqual([1]);
      },
      LONG_MS,
    );
  });

  it(
    'leaves no hole for what is no number, no text, or holds itself',
    async () => {
      const agent = startAgent('java', settings('odd', server.url));
      await agent.call('step', 'odd', 'web-1', 'down\\ud800load\\u0000');
      await agent.call('running-with-itself', 'make');
      await agent.call('progress', 'NaN', 10, 'files');
      await agent.call('progress', 3, 'Infinity', `fi\\udc00les${'s'.repeat(100)}`);
      await agent.call('line', 'line 1');
      await agent.call('succeeded');
      // Different names here, the same ones for the server.
      for (const name of ['a\\ud800', 'a\\udc00']) {
        await agent.call('step', 'odd', name, 'download');
        await agent.call('line', `of ${name}`);
      }
      expect((await agent.call('close', 20)).result).toBe('0');
      expect(await agent.end()).toBe(0);
      expect(agent.stderr()).not.toContain('rejected');
      expect(agent.stderr()).toContain('params');
      const found = await stored('odd');
      expect(found.run?.completeness).toEqual({ complete: true, received: 4 });
      expect(found.events.length).toBe(6);
    },
    LONG_MS,
  );

  it(
    'delivers the neighbours of whatever an old file holds',
    async () => {
      const spool = settings('poison').SHIPLOG_SPOOL;
      await mkdir(spool);
      const event = (message: string, more: object = {}) =>
        JSON.stringify({ taskId: 'poison', host: 'web-1', step: 'download', message, ...more });
      const lines = [
        event('line 1'),
        `{"a":${'['.repeat(200_000)}`,
        '{}',
        '{"query":5}',
        'null',
        event('line 2', { error: 5, level: 7 }),
        event('long'.repeat(1_000_000)),
        ...numbers(3, 900).map((i) => event(`line ${i}`, { eventId: `e${i}` })),
        '{"taskId":"poi',
      ];
      await writeFile(join(spool, 'java-1.ndjson'), lines.join('\n'));
      // No file, and nobody will ever write into it.
      execFileSync('mkfifo', [join(spool, 'java-2.ndjson')]);
      const env = { ...settings('poison', server.url), SHIPLOG_QUEUE_BYTES: '400000' };
      const agent = startAgent('java', env);
      expect((await agent.call('close', 20)).result, agent.stderr()).toBe('0');
      expect(await agent.end()).toBe(0);
      const found = new Set(linesOf(await stored('poison')));
      expect(numbers(3, 900).filter((i) => !found.has(i))).toEqual([]);
      expect(found).toContain(1);
      expect(await readdir(spool)).toEqual(['java-2.ndjson']);
    },
    LONG_MS,
  );

  it(
    'is another writer when it has numbered for as many hosts as it may remember',
    async () => {
      const env = { ...settings('many', server.url), SHIPLOG_QUEUE_BYTES: '20000' };
      const agent = startAgent('java', env);
      for (const host of numbers(1, 199)) {
        await agent.call('step', 'many', `web-${host}`, 'download');
        await agent.call('lines', 1, 2);
        if (host % 25 === 0) expect((await agent.call('flush', 20)).result).toBe('true');
      }
      expect((await agent.call('close', 20)).result).toBe('0');
      await agent.end();
      const { events } = await stored('many');
      expect(events.map(({ sequence }) => sequence)).toEqual(numbers(1, 199).flatMap(() => [1, 2]));
      expect(new Set(events.map(({ writer }) => writer)).size).toBe(2);
    },
    LONG_MS,
  );

  it(
    'counts what gave way already in what a killed agent left',
    async () => {
      const spool = settings('notices').SHIPLOG_SPOOL;
      await mkdir(spool);
      const event = (sequence: number, message: string) =>
        JSON.stringify({
          ...{ taskId: 'notices', host: 'web-1', step: 'download', attempt: 1, writer: 'w' },
          ...{ eventId: `e${sequence}`, sequence, message, at: new Date().toISOString() },
        });
      const words = 'events of output were dropped here: they could not be delivered in time';
      const lines = numbers(41, 900).map((i) => event(i, `line ${i}`));
      const left = [event(1, `[shiplog] 40 ${words}`), ...lines, ''];
      await writeFile(join(spool, 'java-1.ndjson'), left.join('\n'));
      const env = { ...settings('notices', server.url), SHIPLOG_QUEUE_BYTES: '50000' };
      const agent = startAgent('java', env);
      expect((await agent.call('close', 20)).result, agent.stderr()).toBe('0');
      await agent.end();
      const found = await stored('notices');
      expect(linesOf(found).length).toBeLessThan(860);
      expect(linesOf(found).length + sum(gaveWayIn(found))).toBe(900);
    },
    LONG_MS,
  );

  it(
    'never shows a token that cannot be sent, and goes on when there is one',
    async () => {
      const token = join(directory, 'token');
      await writeFile(token, 'shp_secret\nshp_other');
      const env = { ...settings('token', server.url), SHIPLOG_TOKEN_FILE: token };
      const agent = startAgent('java', env);
      await agent.call('step', 'token', 'web-1', 'download');
      await agent.call('line', 'line 1');
      expect((await agent.call('close', 20)).result).toBe('0');
      await agent.end();
      expect(agent.stderr()).toContain('token file');
      expect(agent.stderr()).not.toContain('shp_');
      expect(linesOf(await stored('token'))).toEqual([1]);
    },
    LONG_MS,
  );

  it(
    'keeps its file in a directory that a link leads to',
    async () => {
      await mkdir(join(directory, 'linked'));
      await symlink(join(directory, 'linked'), join(directory, 'link'));
      const agent = startAgent('java', settings('link'));
      await agent.call('step', 'link', 'web-1', 'download');
      await agent.call('line', 'line 1');
      await agent.kill();
      expect(agent.stderr()).not.toContain('spool');
      expect(linesOf(await delivered('link'))).toEqual([1]);
    },
    LONG_MS,
  );

  it(
    'keeps its file from other agents though two clients share a process',
    async () => {
      const agent = startAgent('java', settings('shared'));
      await agent.call('step', 'shared', 'web-1', 'download');
      await agent.call('another');
      const other = startAgent('java', settings('shared'));
      await other.call('step', 'shared', 'web-1', 'download');
      await agent.call('line', 'line 1');
      await agent.kill();
      await other.kill();
      expect(linesOf(await delivered('shared'))).toEqual([1]);
    },
    LONG_MS,
  );
});

/** No file of the agent grows any more, until what is returned is called. */
async function fillDisk(agent: Agent): Promise<() => Promise<void>> {
  const { result: pid } = await agent.call('pid');
  const limit = (bytes: string) => execFileSync('prlimit', ['--pid', pid, `--fsize=${bytes}:`]);
  limit('100');
  return async () => {
    limit('unlimited');
  };
}

/** A proxy that answers by itself, path by path, while it has answers left; then it passes on. */
function answersFirst(
  left: ReadonlyMap<string, (readonly [status: number, text: string])[]>,
  type: string,
  url: string,
): Promise<Server> {
  return listen((request, response) => {
    const [status, text] = left.get(request.url ?? '')?.shift() ?? [];
    if (status === undefined) {
      passOn(request, response, url);
      return;
    }
    request.resume();
    response.writeHead(status, { 'content-type': type }).end(text);
  });
}

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** With `keep`, the answer stays here, and is only said to have come. */
function passOn(
  incoming: IncomingMessage,
  response: ServerResponse,
  target: string,
  keep?: () => void,
): void {
  const { host: _, ...headers } = incoming.headers;
  const onward = send(`${target}${incoming.url}`, { method: 'POST', headers }, (answer) => {
    if (keep !== undefined) {
      answer.resume().once('end', keep);
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  incoming.pipe(onward);
}

const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
