/** What `run` and `send` deliver where the server takes little, forgets tokens, and hears nothing. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventRowFragment } from '../../src/cli/gen/graphql.ts';
import { formatTokens, makeToken, type Scope } from '../../src/domain/token.ts';
import { runCli, startCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

const SMALLEST_BODY = 65_536;
const STALE_SECONDS = 3;

let directory: string;
let server: TestServer;
let tokensFile: string;
const records: ReturnType<typeof makeToken>['record'][] = [];

/** The server follows its file within a second. */
async function newToken(scopes: Scope[]): Promise<string> {
  const { token, record } = makeToken('', scopes, null, Date.now());
  records.push(record);
  await writeFile(tokensFile, formatTokens(records));
  return token;
}

let admin: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shiplog-delivery-'));
  tokensFile = join(directory, 'tokens.json');
  admin = await newToken(['admin']);
  server = await startServer({
    env: {
      SHIPLOG_TOKENS_FILE: tokensFile,
      SHIPLOG_MAX_BODY_BYTES: String(SMALLEST_BODY),
      SHIPLOG_STALE_AFTER_SECONDS: String(STALE_SECONDS),
    },
  });
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const env = () => ({ SHIPLOG_URL: server.url, SHIPLOG_TOKEN: admin });
const step = (task: string, host = 'h') => ['--task', task, '--host', host, '--step', 's'];

async function ask<T>(query: string): Promise<T> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    body: JSON.stringify({ query }),
  });
  return ((await response.json()) as { data: T }).data;
}

const statusWith = async (token: string) =>
  (await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).status;

interface Ended {
  task: {
    run: { step: { status: string; exitCode: number }; completeness: { received: number } };
  } | null;
}
const endOf = (task: string) =>
  ask<Ended>(
    `{ task(id: "${task}") { run(host: "h") { step(name: "s") { status exitCode } completeness { received } } } }`,
  );
async function messagesOf(task: string): Promise<string[]> {
  const query = `{ events(filter: { taskId: "${task}", kinds: [OUTPUT] }, order: LOG, last: 500) { nodes { message } } }`;
  const { events } = await ask<{ events: { nodes: { message: string | null }[] } }>(query);
  return events.nodes.flatMap(({ message }) => (message === null ? [] : [message]));
}

describe('more than one request can hold', () => {
  it('arrives in smaller ones, every line and the end of the step, though the server takes 64 KiB', async () => {
    const args = ['run', ...step('split'), '--', 'sh', '-c', 'seq 1 12000; exit 4'];
    const { code, stderr } = await runCli(args, { env: env() });
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(await endOf('split')).toEqual({
      task: {
        run: { step: { status: 'FAILED', exitCode: 4 }, completeness: { received: 12_002 } },
      },
    });
  });

  it('costs one line that is too large by itself, is said in its place, and nothing beside it', async () => {
    // A control character is six bytes in JSON.
    const script =
      "echo before; head -c 20000 /dev/zero | tr '\\0' '\\1'; echo; echo after; exit 3";
    const { code } = await runCli(['run', ...step('huge'), '--', 'sh', '-c', script], {
      env: env(),
    });
    expect(code).toBe(3);
    expect(await messagesOf('huge')).toEqual([
      'before',
      '[shiplog] a line of 20000 characters was left out here: it is too large for the server',
      'after',
    ]);
    expect((await endOf('huge')).task?.run.step).toEqual({ status: 'FAILED', exitCode: 3 });
  });

  it("is split as well where a proxy's page says so", async () => {
    const proxy = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      if (body.length > 20_000) {
        response.writeHead(413, { 'content-type': 'text/html' });
        response.end('<html><h1>413 Request Entity Too Large</h1></html>');
        return;
      }
      const answer = await fetch(server.url + request.url, {
        method: 'POST',
        headers: {
          'content-type': request.headers['content-type'] as string,
          authorization: `Bearer ${admin}`,
        },
        body,
      });
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(await answer.text());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const event = (message: string) =>
        JSON.stringify({ taskId: 'proxied-send', host: 'h', step: 's', message });
      const lines = Array.from({ length: 900 }, (_, i) => event(String(i)));
      const input = lines.toSpliced(500, 0, event('x'.repeat(40_000))).join('\n');
      const script = ['sh', '-c', 'seq 1 300; exit 4'];
      const [ran, sent] = await Promise.all([
        runCli(['run', '--url', url, ...step('proxied-run'), '--', ...script], { env: env() }),
        runCli(['send', '--url', url], { env: env(), input }),
      ]);
      expect(ran).toMatchObject({ code: 4, stderr: '' });
      expect((await endOf('proxied-run')).task?.run.completeness.received).toBe(302);
      expect(sent.code).toBe(1);
      expect(sent.stderr).toMatch(/^stdin:501: .*413/);
      expect(sent.stderr).toContain('stored 900, duplicates 0, rejected 1');
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });
});

describe('lines of NDJSON', () => {
  it('end at a line feed and nowhere else, and keep their numbers', async () => {
    const event = (message: string) =>
      JSON.stringify({ taskId: 'separators', host: 'h', step: 's', message });
    const input = `\ufeff${event('a\u2028b\u2029c\u0085d')}\r\n\n${event('next')}\nbroken\n${event('last')}`;
    const { code, stderr } = await runCli(['send'], { env: env(), input });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^stdin:4: BAD_JSON/);
    expect(stderr).toContain('stored 3, duplicates 0, rejected 1');
    expect(await messagesOf('separators')).toEqual(['a\u2028b\u2029c\u0085d', 'next', 'last']);
  });
});

describe('a token that is replaced while a command runs', () => {
  it.each(['expired', 'revoked'] as const)(
    'is read again when it has %s: nothing is missing, and the tail goes on',
    async (way) => {
      const task = `token-${way}`;
      const file = join(directory, task);
      const first = await newToken(['ingest', 'read']);
      const record = records.at(-1) as (typeof records)[number];
      await expect.poll(() => statusWith(first), { timeout: 5_000 }).toBe(200);
      await writeFile(file, first);
      const own = { SHIPLOG_URL: server.url, SHIPLOG_TOKEN_FILE: file };
      const go = join(directory, `${task}.go`);
      const script = `echo a; until [ -e ${go} ]; do sleep 0.05; done; echo b; exit 3`;
      const tail = startCli(['tail', '--task', task, '--last', '10', '--json'], { env: own });
      const run = startCli(['run', ...step(task), '--', 'sh', '-c', script], { env: own });
      await tail.until((stdout) => stdout.includes('"message":"a"'));
      if (way === 'revoked') records.splice(records.indexOf(record), 1);
      else record.expiresAt = new Date().toISOString();
      const second = await newToken(['ingest', 'read']);
      await expect.poll(() => statusWith(first), { timeout: 15_000 }).toBe(401);
      await writeFile(file, second);
      await writeFile(go, '');
      expect(await run.ended).toMatchObject({ code: 3, stderr: '' });
      await tail.until((stdout) => stdout.includes('"FAILED"'));
      tail.child.kill('SIGINT');
      const { stdout } = await tail.ended;
      const events = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as EventRowFragment);
      const lines = events.filter(({ kind }) => kind === 'OUTPUT').map(({ message }) => message);
      expect(lines).toEqual(['a', 'b']);
    },
  );

  it('and is wrong for good ends a tail with 4, and does not hold up a command', async () => {
    const file = join(directory, 'wrong');
    await writeFile(file, 'shp_wrong');
    const own = { SHIPLOG_URL: server.url, SHIPLOG_TOKEN_FILE: file };
    const began = performance.now();
    const [tail, run] = await Promise.all([
      runCli(['tail'], { env: own }),
      runCli(['run', ...step('wrong'), '--', 'sh', '-c', 'exit 6'], { env: own }),
    ]);
    expect(tail.code).toBe(4);
    expect(run.code).toBe(6);
    expect(run.stderr).toContain('could not be delivered: The token is not known');
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describe('a command that is silent', () => {
  it('shows what it asks and how far its bar is, and is never stale while it lives', async () => {
    const scripts = {
      prompt: 'printf "Overwrite? [y/N] "; sleep 7',
      bar: 'for i in 1 2 3 4 5 6 7; do printf "\\r%s %%" $i; sleep 1; done',
      quiet: 'sleep 7',
    };
    let isOver = false;
    const ended = Promise.all(
      Object.entries(scripts).map(([host, script]) =>
        runCli(['run', ...step('silent', host), '--', 'sh', '-c', script], { env: env() }),
      ),
    ).finally(() => {
      isOver = true;
    });
    const stale = new Set<string>();
    const seenLive = new Set<string>();
    const query =
      '{ task(id: "silent") { runs { nodes { hostName stale status } } events(last: 200) { nodes { hostName message } } } }';
    interface Silent {
      task: {
        runs: { nodes: { hostName: string; stale: boolean; status: string }[] };
        events: { nodes: { hostName: string; message: string | null }[] };
      } | null;
    }
    await expect
      .poll(
        async () => {
          const { task } = await ask<Silent>(query);
          for (const run of task?.runs.nodes ?? []) if (run.stale) stale.add(run.hostName);
          if (task?.runs.nodes.every((run) => run.status === 'RUNNING')) {
            for (const { hostName, message } of task.events.nodes) {
              if (message !== null) seenLive.add(`${hostName}: ${message}`);
            }
          }
          return isOver;
        },
        { timeout: 20_000, interval: 200 },
      )
      .toBe(true);
    for (const { code } of await ended) expect(code).toBe(0);
    expect([...stale]).toEqual([]);
    expect(seenLive).toContain('prompt: Overwrite? [y/N] ');
    expect([...seenLive].some((line) => /^bar: \d %$/.test(line))).toBe(true);
  });
});
