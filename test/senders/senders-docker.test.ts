/**
 * A real Docker engine sends by its log driver, and is read by `shiplog docker`, while what it
 * sends to refuses, stalls and is killed. Only by name: `npm test -- senders-docker`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { startCli } from '../support/cli.ts';
import { type DockerEngine, startDocker, whyNoDocker } from '../support/docker-engine.ts';
import { graphql } from '../support/ledger.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { standIn } from '../support/stand-in.ts';

const reason = await whyNoDocker();
if (reason !== null && process.env.CI === 'true') {
  throw new Error(`${reason}. With CI=true a Docker engine must run.`);
}
if (reason !== null)
  console.warn(`skipped, nothing is tested with a real Docker engine: ${reason}`);

describe.skipIf(reason !== null)('a real Docker engine', { timeout: 120_000 }, () => {
  let shiplog: HttpFixture;
  let engine: DockerEngine;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    engine = await startDocker({
      SPLUNK_LOGGING_DRIVER_POST_MESSAGES_FREQUENCY: '300ms',
      SPLUNK_LOGGING_DRIVER_POST_MESSAGES_BATCH_SIZE: '50',
    });
  });
  afterAll(async () => {
    await engine.stop();
    await shiplog.close();
  });

  const messagesOf = async (taskId: string): Promise<string[]> => {
    const page = { limit: 1_000, backward: false, after: null, before: null, around: null };
    const [found] = await shiplog.store.events([
      { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
    ]);
    return (found?.rows ?? []).map(({ node }) => String(node.message));
  };
  const start = (task: string, script: string, ...options: string[]): Promise<string> =>
    engine.docker(
      ...['run', '-d', '--network=none', '--label', `shiplog.task=${task}`, ...options],
      ...['shop/web:1.4.2', 'sh', '-c', script],
    );
  const LINES = 400;
  const counted = Array.from({ length: LINES }, (_, at) => `line ${at + 1}`);
  const COUNT = `for i in $(seq ${LINES}); do echo line $i; usleep 3000; done`;

  it('by --log-driver=splunk stores each line once, through refusals and a lost answer', async () => {
    let posts = 0;
    await using tap = await standIn(async (request, response, body) => {
      if (request.method === 'POST') posts++;
      if (posts === 1 && request.method === 'POST') {
        response.writeHead(503).end();
        return;
      }
      const answer = await fetch(shiplog.url + request.url, {
        method: request.method ?? 'GET',
        ...(request.method === 'POST' ? { body } : {}),
      });
      // Stored, and nobody hears of it.
      if (posts === 3 || posts === 5) response.destroy();
      else response.writeHead(answer.status).end(await answer.text());
    });
    await start(
      'splunk-driver',
      `${COUNT}; head -c 40000 /dev/zero | tr "\\0" x; echo; sleep 2`,
      ...['--log-driver=splunk', '--log-opt', `splunk-url=${tap.url}`],
      ...['--log-opt', 'splunk-token=any', '--log-opt', 'tag={{.Name}}/{{.ID}}'],
      ...['--log-opt', 'labels=shiplog.task', '--name', 'splunked'],
    );
    await vi.waitFor(
      async () => expect(await messagesOf('splunk-driver')).toHaveLength(LINES + 1),
      40_000,
    );
    const messages = await messagesOf('splunk-driver');
    expect(messages.slice(0, LINES)).toEqual(counted);
    expect(messages.at(-1)).toHaveLength(40_000);
    expect(posts).toBeGreaterThan(6);
  });

  it('by shiplog docker has each line once, also when that is killed and begins anew', async () => {
    const state = join(mkdtempSync(join(tmpdir(), 'shiplog-state-')), 'state.json');
    const follow = () =>
      startCli([
        'docker',
        '--url',
        shiplog.url,
        '--socket',
        engine.socket,
        '--state',
        state,
        '--label',
        'shiplog.task',
      ]);
    const first = follow();
    // One is there before, one comes later, one has a terminal.
    await start('followed', `${COUNT}; sleep 1`, '--name', 'followed');
    await vi.waitFor(async () => {
      expect((await messagesOf('followed')).length).toBeGreaterThan(50);
    }, 10_000);
    first.child.kill('SIGKILL');
    await first.ended;
    await start('terminal', 'echo one; head -c 20000 /dev/zero | tr "\\0" y; echo; echo end', '-t');
    await start('both', 'for i in $(seq 50); do echo out $i; echo err $i >&2; done');
    const second = follow();
    await vi.waitFor(async () => {
      expect(await messagesOf('followed')).toEqual(counted);
      expect((await messagesOf('terminal')).map(({ length }) => length)).toEqual([3, 20_000, 3]);
      expect(new Set(await messagesOf('both')).size).toBe(100);
    }, 40_000);
    // A container that is started again goes on.
    await engine.docker('wait', 'followed');
    await engine.docker('start', 'followed');
    await vi.waitFor(async () => {
      expect(await messagesOf('followed')).toEqual([...counted, ...counted]);
    }, 40_000);
    expect(await messagesOf('both')).toHaveLength(100);
    second.child.kill('SIGTERM');
    const { code, stderr } = await second.ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining('rejected 0')]);
  });

  it('by --log-driver=syslog stores each line once; a container does not start while Shiplog is away', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'shiplog-syslog-'));
    const run = (name: string, address: string) =>
      engine.docker(
        ...['run', '--network=none', '--name', name, '--log-driver=syslog'],
        ...['--log-opt', `syslog-address=tcp://${address}`],
        ...['--log-opt', 'syslog-format=rfc5424micro', '--log-opt', 'tag={{.Name}}/{{.ID}}'],
        ...['shop/web:1.4.2', 'sh', '-c', COUNT],
      );
    const first = await startServer({ dataDir, env: { SHIPLOG_SYSLOG_PORT: '0' } });
    const [, port = ''] = /"syslog":"127\.0\.0\.1:(\d+)"/.exec(first.stdout()) ?? [];
    const address = `127.0.0.1:${port}`;
    await run('by-syslog', address);
    const linesOf = async ({ url }: TestServer, name: string): Promise<string[]> => {
      const day = new Date().toISOString().slice(0, 10);
      const query = `query ($filter: EventFilter!) { events(filter: $filter, first: 1000) { nodes { message } } }`;
      const { events } = await graphql<{ events: { nodes: { message: string }[] } }>(url, query, {
        filter: { taskId: `container/${name}/${day}` },
      });
      return events.nodes.map(({ message }) => message).toSorted();
    };
    const stored = counted.toSorted();
    await vi.waitFor(async () => {
      expect(await linesOf(first, 'by-syslog')).toEqual(stored);
    }, 40_000);
    await first.kill();
    await expect(run('never', address)).rejects.toThrow(/connection refused/);
    const second = await startServer({ dataDir, env: { SHIPLOG_SYSLOG_PORT: port } });
    await run('afterwards', address);
    await vi.waitFor(async () => {
      expect(await linesOf(second, 'afterwards')).toEqual(stored);
    }, 40_000);
    expect(await linesOf(second, 'by-syslog')).toEqual(stored);
    await second.stop();
    rmSync(dataDir, { recursive: true });
  });
});
