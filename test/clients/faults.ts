/** What each client with a spool makes of odd values, a full disk, foreign answers and damaged files. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { type Agent, startAgent } from './agent.ts';
import { spoolBytes, storedMessages } from './spooled.ts';
import { isDense, linesOf, storedTask } from './stored.ts';
import { type Got, startStubServer, stored } from './stub-server.ts';

const NOBODY = 'http://127.0.0.1:9';
/** The first time Go compiles its library with the race detector. */
const BUILD_MS = 300_000;
const FILE_PREFIX = { go: 'go', python: 'py' };

export interface FaultTests {
  server(): TestServer;
  /** Of this file of tests; removed after them. */
  directory(): string;
  /** A file for the next agent of this name to find. */
  leave(name: string, lines: readonly string[]): Promise<void>;
  /** It is killed after the tests at the latest. */
  agentOf(name: string, url: string, env?: Record<string, string>): Agent;
  /** What a next agent says while it delivers what others left. */
  deliverRest(name: string): Promise<string>;
  linesStored(task: string): Promise<number[]>;
}

/** Registers the tests that are the same for these languages, in the `describe` around it. */
export function testFaults(language: 'go' | 'python'): FaultTests {
  let directory: string;
  let server: TestServer;
  const agents: Agent[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), `shiplog-${language}-`));
    server = await startServer();
    await agentOf('built', server.url).kill();
  }, BUILD_MS);
  afterAll(async () => {
    await Promise.all(agents.map((agent) => agent.kill()));
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const spoolOf = (name: string) => join(directory, name);
  function agentOf(name: string, url: string, env: Record<string, string> = {}): Agent {
    const settings = { SHIPLOG_URL: url, SHIPLOG_SPOOL: spoolOf(name), ...env };
    const agent = startAgent(language, settings);
    agents.push(agent);
    return agent;
  }
  async function leave(name: string, lines: readonly string[]) {
    await mkdir(spoolOf(name));
    await writeFile(join(spoolOf(name), `${FILE_PREFIX[language]}-left.ndjson`), lines.join('\n'));
  }
  async function deliverRest(name: string) {
    const agent = agentOf(name, server.url);
    const { result } = await agent.call('close', 20);
    expect([result, await agent.end()], agent.stderr()).toEqual(['0', 0]);
    return agent.stderr();
  }
  async function linesStored(task: string) {
    const found = await storedTask(server, task, 'web-1');
    return found === null ? [] : linesOf(found);
  }

  it.each([
    ['is not UTF-8', Buffer.from([0xff, 0xfe, 0x0a])],
    ['holds what no header can', Buffer.from('shp_ä\n')],
  ])('waits for another token where the file %s', async (name, content) => {
    const path = join(directory, `${content.length}.token`);
    await writeFile(path, content);
    const stub = await startStubServer((got, earlier) => {
      if (got.authorization === 'Bearer shp_good') return stored(got);
      // By the second request the file was read again by the thread that delivers.
      if (earlier.length === 1) void writeFile(path, 'shp_good\n');
      return { status: 401, body: '{"errors":[{"message":"no"}]}' };
    });
    const agent = agentOf(`token-${content.length}`, stub.url, { SHIPLOG_TOKEN_FILE: path });
    await agent.call('step', 'token', 'web-1', 'download');
    await agent.call('line', name);
    expect((await agent.call('flush', 20)).result, agent.stderr()).toBe('true');
    expect(agent.stderr()).toContain(path);
    stub.stop();
  });

  it('sends names, texts and numbers that JSON cannot say as well as it can, and no number is missing', async () => {
    const agent = agentOf('odd', server.url);
    await agent.call('odd', 'odd');
    await agent.call('progress', 'nan', 1, 'files');
    await agent.call('progress', 1, 'inf', 'files');
    await agent.call('succeeded');
    expect((await agent.call('close', 20)).result).toBe('0');
    expect(await agent.end(), agent.stderr()).toBe(0);
    const found = await storedTask(server, 'odd', 'web-\ufffd');
    expect(found?.service).toBe('shop\ufffd');
    expect(found !== null && isDense(found)).toBe(true);
    expect(found?.run?.completeness).toEqual({ complete: true, received: 5 });
    expect(found?.events.map(({ status, message }) => status ?? message)).toEqual([
      'task began',
      'RUNNING',
      'RUNNING',
      'bytes \ufffd',
      null,
      'SUCCEEDED',
    ]);
    expect(agent.stderr()).toMatch(/params (was|were) left out/);
    expect(agent.stderr()).toMatch(/labels (was|were) left out/);
    expect(agent.stderr()).toMatch(/progress was left out: nan is no number/i);
  });

  it('keeps what a killed agent left until it is in the own file, though the disk is full and it is killed, too', async () => {
    const first = agentOf('adopted[1]', NOBODY);
    await first.call('step', 'adopted', 'web-1', 'download');
    await first.call('lines', 1, 50);
    await first.kill();
    // Less than the file that is there: each line fits at first, all of them do not.
    const second = agentOf('adopted[1]', NOBODY, { AGENT_FILE_LIMIT: '2000' });
    await second.call('step', 'adopted', 'web-1', 'download');
    await second.kill();
    await deliverRest('adopted[1]');
    expect(await linesStored('adopted')).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(await readdir(spoolOf('adopted[1]'))).toEqual([]);
  });

  it('removes what a killed agent left as soon as it was delivered, though nothing could be copied', async () => {
    const first = agentOf('uncopied', NOBODY);
    await first.call('step', 'uncopied', 'web-1', 'download');
    await first.call('lines', 1, 50);
    await first.kill();
    const second = agentOf('uncopied', server.url, { AGENT_FILE_LIMIT: '0' });
    expect((await second.call('flush', 20)).result).toBe('true');
    await expect.poll(() => readdir(spoolOf('uncopied'))).toHaveLength(2);
    await second.call('close', 20);
    await second.end();
    expect(await readdir(spoolOf('uncopied'))).toEqual([]);
  });

  it('says once, and not with each delivery, that the disk is full', async () => {
    const agent = agentOf('said-once', server.url);
    await agent.call('step', 'said-once', 'web-1', 'download');
    await agent.call('limit', 0);
    for (const line of [1, 2, 3]) {
      await agent.call('lines', line, line);
      expect((await agent.call('flush', 20)).result).toBe('true');
    }
    await agent.call('close', 20);
    expect(await agent.end()).toBe(0);
    expect(agent.stderr()).toMatch(/^shiplog: spool: [^\n]*\n$/);
    expect(await linesStored('said-once')).toEqual([1, 2, 3]);
  });

  it('leaves its file as it is where a shorter one cannot be written', async () => {
    const agent = agentOf('shorter', NOBODY, { SHIPLOG_QUEUE_BYTES: '40000' });
    await agent.call('step', 'shorter', 'web-1', 'download');
    await agent.call('lines', 1, 100);
    await agent.call('limit', 5_000);
    await agent.call('lines', 101, 200);
    await agent.kill();
    await deliverRest('shorter');
    expect(await linesStored('shorter')).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  it.each([
    ['by the next line', async (agent: Agent) => void (await agent.call('lines', 4, 4)), 4],
    ['though nothing more comes', async () => {}, 3],
    ['when it is closed', async (agent: Agent) => void (await agent.call('close', 0)), 3],
  ])('writes what it could not while the disk was full %s', async (how, act, last) => {
    const name = `behind-${last}-${how.length}`;
    const agent = agentOf(name, NOBODY);
    await agent.call('step', name, 'web-1', 'download');
    await agent.call('lines', 1, 1);
    await agent.call('limit', 0);
    await agent.call('lines', 2, 3);
    await agent.call('limit', -1);
    await act(agent);
    await expect
      .poll(() => storedMessages(spoolOf(name)))
      .toEqual(Array.from({ length: last }, (_, i) => `line ${i + 1}`));
  });

  it.each([
    ['a page of a proxy', '{"status":"maintenance"}'],
    ['null', 'null'],
    ['a count below none', '{"stored":-1,"taken":-1}'],
    ['a count that is none', '{"stored":"1","data":"1"}'],
    ['JSON without an end', '['.repeat(100_000)],
  ])('does not take %s with status 200 for an acknowledgement', async (_, body) => {
    const isSecond = ({ path }: Got, earlier: readonly Got[]) =>
      earlier.some((got) => got.path === path);
    const stub = await startStubServer((got, earlier) =>
      isSecond(got, earlier) ? stored(got) : { status: 200, body },
    );
    const agent = agentOf(`foreign-${body.length}`, stub.url);
    await agent.call('start', 'foreign', 'shop', '1');
    await agent.call('step', 'foreign', 'web-1', 'download');
    await agent.call('line', 'only once');
    expect((await agent.call('flush', 20)).result).toBe('true');
    stub.stop();
    const [start, again, line, repeated] = stub.got;
    expect(stub.got).toHaveLength(4);
    expect([again, repeated]).toEqual([start, line]);
  });

  it('sends the same again, and says so once, where a proxy refuses what no server has seen', async () => {
    const foreign = [
      { status: 400, body: '<h1>No required SSL certificate was sent</h1>' },
      { status: 415, body: '{"error":"what is this?","errors":"much"}' },
      { status: 422, body: '{"errors":[{"message":"not by me"}]}' },
    ];
    const stub = await startStubServer((got, earlier) => foreign[earlier.length] ?? stored(got));
    const agent = agentOf('proxy', stub.url);
    await agent.call('start', 'proxy', 'shop', '1');
    await agent.call('step', 'proxy', 'web-1', 'download');
    await agent.call('lines', 1, 3);
    expect((await agent.call('flush', 20)).result).toBe('true');
    stub.stop();
    const [start, ...again] = stub.got;
    expect(again.slice(0, 3)).toEqual(Array(3).fill(start));
    const lines = again.slice(3).flatMap((got) => got.lines);
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['line 1', 'line 2', 'line 3']);
    expect(agent.stderr()).toMatch(/^shiplog: .* answered 400 [^\n]*\n$/);
  });

  it.each([
    ['an event', 'line', '{"error":{"code":"BAD_REQUEST","message":"no"}}'],
    ['a task', 'start', '{"errors":[{"message":"no","extensions":{"code":"BAD_INPUT"}}]}'],
  ])('drops %s that the server itself refuses, and goes on', async (what, call, body) => {
    const stub = await startStubServer((got) =>
      got.lines.some((line) => line.includes('poison')) ? { status: 400, body } : stored(got),
    );
    const agent = agentOf(`refused-${call}`, stub.url);
    await agent.call('step', 'refused', 'web-1', 'download');
    await agent.call(call, 'poison', 'shop', '1');
    await agent.call('line', what);
    expect((await agent.call('flush', 20)).result).toBe('true');
    stub.stop();
    expect(agent.stderr()).toMatch(/^shiplog: an event was dropped: 400 [^\n]*: no\n$/);
    expect(stub.got.at(-1)?.lines).toEqual([expect.stringContaining(what)]);
  });

  it('says the exit code of a command that a signal ended as shells do', async () => {
    const agent = agentOf('signal', server.url);
    await agent.call('step', 'signal', 'web-1', 'download');
    await agent.call('terminated');
    expect((await agent.call('close', 20)).result, agent.stderr()).toBe('0');
    expect((await storedTask(server, 'signal', 'web-1'))?.run?.step?.exitCode).toBe(143);
  });

  it('goes on where nobody reads what it says on stderr any more', async () => {
    const stub = await startStubServer((got, earlier) =>
      earlier.length === 0 ? { status: 503, body: '' } : stored(got),
    );
    const agent = agentOf('unread', stub.url);
    await agent.closeStderr();
    await agent.call('step', 'unread', 'web-1', 'download');
    await agent.call('line', 'nobody is told of the 503');
    expect((await agent.call('flush', 20)).result).toBe('true');
    expect((await agent.call('close', 20)).result).toBe('0');
    expect(await agent.end()).toBe(0);
    stub.stop();
    expect(stub.got).toHaveLength(2);
  });

  it('gets through a slow link in smaller requests, which grow again', async () => {
    const texts = Array.from({ length: 400 }, (_, i) => `${i} ${'x'.repeat(1_000)}`);
    await leave('slow', [...texts.map((text, i) => lineOf('slow', i + 1, text)), '']);
    const sizeOf = ({ lines }: Got) => lines.join('\n').length + 1;
    const stub = await startStubServer((got) => {
      if (sizeOf(got) > 300_000) return null;
      return sizeOf(got) > 150_000 ? { status: 408, body: '' } : stored(got);
    });
    const agent = agentOf('slow', stub.url, { AGENT_CALL_TIMEOUT: '1' });
    expect((await agent.call('flush', 20)).result).toBe('true');
    stub.stop();
    const sizes = stub.got.map(sizeOf);
    const [all = 0, half = 0, quarter = 0, more = 0] = sizes;
    expect(half, sizes.join()).toBeLessThanOrEqual(all / 2);
    expect(quarter, sizes.join()).toBeLessThanOrEqual(half / 2);
    expect(more, sizes.join()).toBeGreaterThan(quarter);
    const messages = stub.got
      .slice(2)
      .flatMap(({ lines }) => lines.map((l) => JSON.parse(l).message));
    expect(messages).toEqual(texts);
  });

  it('changes nothing of what may be stored already where less of it is sent again and room is made', async () => {
    const queueBytes = 120_000;
    const texts = Array.from({ length: 100 }, (_, i) => `old ${i}`);
    await leave('maybe', [...texts.map((text, i) => lineOf('maybe', i + 1, text)), '']);
    const sentTwice = Promise.withResolvers<void>();
    let isBack = false;
    const stub = await startStubServer((got, earlier) => {
      if (earlier.length === 1) sentTwice.resolve();
      return isBack ? stored(got) : { status: earlier.length === 0 ? 408 : 503, body: '' };
    });
    const agent = agentOf('maybe', stub.url, { SHIPLOG_QUEUE_BYTES: String(queueBytes) });
    await agent.call('step', 'maybe', 'web-1', 'download');
    await sentTwice.promise;
    await agent.call('lines', 1, 2_000);
    isBack = true;
    expect((await agent.call('flush', 20)).result).toBe('true');
    stub.stop();
    const [all, less, ...later] = stub.got.map(({ lines }) => lines);
    expect(all).toHaveLength(100);
    expect(less?.length).toBeLessThan(100);
    const again = new Set(later.flat());
    expect(all?.filter((line) => !again.has(line))).toEqual([]);
  });

  it('keeps its file within bounds where it cannot be written anew, and writes it when it can', async () => {
    const queueBytes = 40_000;
    const agent = agentOf('stuck', NOBODY, { SHIPLOG_QUEUE_BYTES: String(queueBytes) });
    await agent.call('step', 'stuck', 'web-1', 'download');
    const [file = ''] = (await readdir(spoolOf('stuck'))).filter((one) => one.endsWith('.ndjson'));
    const inTheWay = join(spoolOf('stuck'), `${file}.new`);
    await mkdir(inTheWay);
    await agent.call('lines', 1, 3_000);
    expect(await spoolBytes(spoolOf('stuck'))).toBeLessThan(5 * queueBytes);
    expect(agent.stderr()).toMatch(/^shiplog: spool: /m);
    await rm(inTheWay, { recursive: true });
    await expect.poll(() => storedMessages(spoolOf('stuck'))).toContain('line 3000');
    expect(await spoolBytes(spoolOf('stuck'))).toBeLessThan(3 * queueBytes);
  });

  it('is another writer when it has numbered for as many hosts as it may remember', async () => {
    const stub = await startStubServer(stored);
    const agent = agentOf('many', stub.url, { SHIPLOG_QUEUE_BYTES: '20000' });
    for (let host = 1; host <= 200; host++) {
      await agent.call('step', 'many', `web-${host % 199}`, 'download');
      await agent.call('lines', 1, 2);
      if (host % 25 === 0) expect((await agent.call('flush', 20)).result).toBe('true');
    }
    stub.stop();
    const events = stub.got.flatMap(({ lines }) => lines.map((line) => JSON.parse(line)));
    const numbersOf = Map.groupBy(events, ({ writer, host }) => `${host} by ${writer}`);
    expect([...numbersOf.values()].map((all) => all.map(({ sequence }) => sequence))).toEqual(
      Array(200).fill([1, 2]),
    );
    expect(new Set(events.map(({ writer }) => writer)).size).toBe(2);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(400);
  });

  it('makes room where two steps print by turns, and says of each how much of it gave way', async () => {
    const lines = 4_000;
    const queueBytes = 100_000;
    const env = { SHIPLOG_QUEUE_BYTES: String(queueBytes) };
    const first = agentOf('turns', NOBODY, env);
    await first.call('alternate', 'turns', lines);
    await first.kill();
    expect(await spoolBytes(spoolOf('turns'))).toBeLessThan(3 * queueBytes);
    // What it finds is more than it may keep.
    const second = agentOf('turns', NOBODY, { SHIPLOG_QUEUE_BYTES: String(queueBytes / 4) });
    await second.call('step', 'turns', 'web-1', 'download');
    await second.kill();
    await deliverRest('turns');
    const found = await storedTask(server, 'turns', 'web-1');
    const gaveWay = found?.events.flatMap(({ message }) => {
      const [, count] = /^\[shiplog\] (\d+) .* dropped here/.exec(message ?? '') ?? [];
      return count === undefined ? [] : [Number(count)];
    });
    const kept = found === null ? [] : linesOf(found);
    expect(kept.length + (gaveWay ?? []).reduce((sum, count) => sum + count, 0)).toBe(lines);
    expect(kept.slice(-2)).toEqual([lines - 1, lines]);
    expect(found?.events.filter(({ status }) => status === 'SUCCEEDED')).toHaveLength(2);
    const sequences = found?.events.map(({ sequence }) => sequence ?? 0) ?? [];
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  });

  it('delivers what stands around lines of a file that are no events, and names them', async () => {
    const deep = `{"message":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const torn = lineOf('poison', 3).slice(0, 40);
    await leave('poison', [lineOf('poison', 1), deep, '[]', '"text"', lineOf('poison', 2), torn]);
    const said = await deliverRest('poison');
    expect(await linesStored('poison')).toEqual([1, 2]);
    const named = [...said.matchAll(/line (\d) of .*left.ndjson was left out/g)];
    expect(named.map(([, number]) => number)).toEqual(['2', '3', '4']);
  });

  return {
    server: () => server,
    directory: () => directory,
    leave,
    agentOf,
    deliverRest,
    linesStored,
  };
}

/** Of a spool file. */
export function lineOf(task: string, sequence: number, message = `line ${sequence}`): string {
  return JSON.stringify({
    ...{ taskId: task, host: 'web-1', step: 'download', attempt: 1, writer: 'w' },
    ...{ eventId: `e${sequence}`, sequence, message, at: new Date().toISOString() },
  });
}
