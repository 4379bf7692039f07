/** `shiplog docker` as a process, on the recorded answers of a Docker engine and of podman. */
import { mkdtempSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineReader } from '../../src/cli/docker/frames.ts';
import type { StoredEvent } from '../../src/domain/event/event.ts';
import { type HttpFixture, startHttpFixture } from '../http/support.ts';
import { bodiesOf, recorded } from '../senders/recorded.ts';
import { startCli } from '../support/cli.ts';

let shiplog: HttpFixture;
beforeAll(async () => {
  shiplog = await startHttpFixture();
});
afterAll(() => shiplog.close());

async function eventsOf(taskId: string): Promise<StoredEvent[]> {
  const page = { limit: 200, backward: false, after: null, before: null, around: null };
  const [found] = await shiplog.store.events([
    { filter: { taskId }, order: 'LOG', page: { ...page, withTotal: false } },
  ]);
  return (found?.rows ?? []).map(({ node }) => node);
}

const MUX = '55c7acf01869';
const TTY = '41284a556fb8';
const NONE = 'a00da0a84844';

type Answers = readonly (readonly [path: RegExp, file: string])[];

const DOCKER: Answers = [
  [/^\/_ping$/, 'docker-api/ping'],
  [/^\/v1\.41\/containers\/json/, 'docker-api/containers-json'],
  [new RegExp(`/${MUX}[0-9a-f]+/json$`), 'docker-api/inspect-mux'],
  [new RegExp(`/${TTY}[0-9a-f]+/json$`), 'docker-api/inspect-tty'],
  [new RegExp(`/${MUX}[0-9a-f]+/logs`), 'docker-api/logs-follow-mux'],
  [new RegExp(`/${TTY}[0-9a-f]+/logs`), 'docker-api/logs-follow-tty'],
  [new RegExp(`/${NONE}[0-9a-f]+/json$`), 'docker-api/inspect-mux'],
  [new RegExp(`/${NONE}[0-9a-f]+/logs`), 'docker-api/logs-driver-none'],
];

const PODMAN: Answers = [
  [/^\/_ping$/, 'docker-api/ping'],
  [/\/containers\/json/, 'podman-api/containers-json'],
  [/\/json$/, 'podman-api/inspect-mux'],
  [/\/logs/, 'podman-api/logs-follow-mux'],
];

interface RecordedEngine {
  socket: string;
  /** Paths that were asked for. */
  asked: string[];
  close(): Promise<void>;
}

/** With the id that was asked for: one recorded container stands for others of its kind. */
function answerOf(file: string, path: string): Buffer {
  const bytes = recorded(`${file}.response`);
  const asked = /[0-9a-f]{64}/.exec(path)?.[0];
  if (!file.startsWith('docker-api/inspect') || asked === undefined) return bytes;
  const text = bytes.toString('latin1');
  return Buffer.from(text.replace(/"Id":"[0-9a-f]{64}"/, `"Id":"${asked}"`), 'latin1');
}

/** Answers with recorded bytes, in pieces that end anywhere; what it has none for is not found. */
async function startEngine(answers: Answers): Promise<RecordedEngine> {
  const asked: string[] = [];
  const server: Server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.once('data', (head: Buffer) => {
      const path = head.toString('latin1').split(' ')[1] ?? '';
      asked.push(path);
      const file =
        answers.find(([pattern]) => pattern.test(path))?.[1] ?? 'docker-api/logs-missing';
      const bytes = answerOf(file, path);
      for (let at = 0; at < bytes.length; at += 4_099) socket.write(bytes.subarray(at, at + 4_099));
      socket.end();
    });
  });
  const socket = join(mkdtempSync(join(tmpdir(), 'shiplog-engine-')), 'engine.sock');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    asked,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function dockerOnce(engine: RecordedEngine, ...more: string[]) {
  const args = ['docker', '--no-follow', '--url', shiplog.url, '--socket', engine.socket];
  return startCli([...args, '--host', 'vm', ...more]).ended;
}

describe('shiplog docker', () => {
  it('stores the lines of every container under its labels, pieces joined, and resumes where it was', async () => {
    const engine = await startEngine(DOCKER);
    const state = join(mkdtempSync(join(tmpdir(), 'shiplog-docker-')), 'state.json');
    const first = await dockerOnce(engine, '--state', state);
    expect(first.stderr).toContain('configured logging driver does not support reading');
    expect(first).toMatchObject({ code: 0 });
    const events = await eventsOf('2026-11-27-shop');
    const web = events.filter(({ labels }) => labels?.container === 'api-web-1');
    expect(web.map(({ message, stream }) => [message?.slice(0, 20), stream])).toEqual([
      ['first', 'STDOUT'],
      ['a\tb é 连接', 'STDOUT'],
      ['x'.repeat(20), 'STDOUT'],
      ['to-stderr', 'STDERR'],
      ['no newline', 'STDOUT'],
      ['', 'STDOUT'],
      ['', 'STDOUT'],
      ['last', 'STDOUT'],
    ]);
    expect(web.find(({ message }) => message?.startsWith('xxx'))?.message).toHaveLength(40_000);
    expect(web[0]).toMatchObject({
      step: 'service-start',
      host: 'vm',
      at: Date.UTC(2026, 10, 27, 1, 26, 10, 583),
      labels: { container: 'api-web-1', container_id: MUX, image: 'shop/web:1.4.2' },
    });
    const tty = events.filter(({ labels }) => labels?.container === 'api-tty-1');
    expect(tty.map(({ message }) => message?.length)).toEqual([5, 9, 12, 20_000, 4]);
    const second = await dockerOnce(engine, '--state', state);
    expect(second.stderr).toMatch(/stored 0, duplicates \d+, rejected 0/);
    const since = engine.asked.findLast(
      (path) => path.includes(`${MUX}`) && path.includes('/logs'),
    );
    // Five seconds before the last line's time.
    expect(since).toMatch(/since=1795742767$/);
    expect(await eventsOf('2026-11-27-shop')).toHaveLength(events.length);
    await engine.close();
  });

  it("reads podman's dialect: whole seconds, smaller pieces, chunks that end inside a frame", async () => {
    const engine = await startEngine(PODMAN);
    const ended = await dockerOnce(engine);
    expect(ended).toMatchObject({ code: 0 });
    const messages = (await eventsOf('T1')).map(({ message }) => message);
    expect(messages.map((text) => text?.length)).toEqual([5, 9, 20_000, 10, 4]);
    await dockerOnce(engine);
    expect(await eventsOf('T1')).toHaveLength(messages.length);
    await engine.close();
  });

  it('says so where there is no engine', async () => {
    const args = ['docker', '--no-follow', '--url', shiplog.url, '--socket', '/nowhere.sock'];
    const ended = await startCli(args).ended;
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('no engine at /nowhere.sock');
  });
});

describe('the log of a container', () => {
  it.for([
    ['docker-api/logs-follow-mux', false],
    ['docker-api/logs-follow-tty', true],
    ['podman-api/logs-follow-mux', false],
  ] as const)('%s is the same lines in whatever pieces it comes', ([name, tty]) => {
    const [body = Buffer.alloc(0)] = bodiesOf(recorded(`${name}.response`));
    const linesIn = (size: number) => {
      const reader = lineReader(tty);
      const lines = [];
      for (let at = 0; at < body.length; at += size) {
        lines.push(...reader.push(body.subarray(at, at + size)));
      }
      return [...lines, ...reader.end()];
    };
    const whole = linesIn(body.length);
    expect(whole.every(({ time }) => time.startsWith('2026-11-27T'))).toBe(true);
    for (const size of [1, 13, 4_096]) expect(linesIn(size)).toEqual(whole);
  });

  it('that is neither frames nor lines is refused instead of held in memory', () => {
    const reader = lineReader(false);
    expect(() => [...reader.push(Buffer.from('HTTP/1.1 500 oh'))]).toThrow(
      'neither frames nor lines',
    );
  });
});
