import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/cli/client.ts';
import type {
  EventRowFragment,
  TaskBoardFragment,
  TaskRowFragment,
} from '../../src/cli/gen/graphql.ts';
import {
  FinishTaskDocument,
  LogStepsDocument,
  StartTaskDocument,
} from '../../src/cli/gen/graphql.ts';
import { type Ended, runCli, startCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let client: Client;
let directory: string;

beforeAll(async () => {
  server = await startServer();
  client = new Client({ url: server.url, token: null });
  directory = await mkdtemp(join(tmpdir(), 'shiplog-cli-'));
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const shiplog = (...args: string[]) => runCli(args, { env: { SHIPLOG_URL: server.url } });
const shiplogWith = (input: string, ...args: string[]) =>
  runCli(args, { env: { SHIPLOG_URL: server.url }, input });
const start = (...args: string[]) => startCli(args, { env: { SHIPLOG_URL: server.url } });

function rows<T>({ stdout }: Pick<Ended, 'stdout'>): T[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

function log(taskId: string, ...messages: string[]) {
  const inputs = messages.map((message) => ({ taskId, host: 'web-1', step: 'download', message }));
  return client.query(LogStepsDocument, { inputs });
}

describe('shiplog simulate', () => {
  it('brings a whole fleet in, and the same seed again changes nothing', async () => {
    const fleet = ['--task', 'sim', '--hosts', '50', '--fail-rate', '0.1'];
    const at = new Date(Date.now() - 3_600_000).toISOString();
    const args = ['simulate', ...fleet, '--at', at, '--speed', '0', '--json'];
    const first = await shiplog(...args);
    expect(first.stderr).toContain('task sim: 50 hosts');
    expect(first.code).toBe(0);
    const [summary] = rows<Record<string, number>>(first);
    expect(summary).toMatchObject({ hosts: 50, failedHosts: 5, duplicates: 0, rejected: 0 });
    expect(summary?.stored).toBe(summary?.events);
    const [again] = rows<Record<string, number>>(await shiplog(...args));
    expect(again).toMatchObject({ events: summary?.events, duplicates: summary?.events });

    const board = await shiplog('task', 'sim', '--json');
    const [task] = rows<TaskBoardFragment>(board);
    expect(task).toMatchObject({
      status: 'PARTIAL',
      runCounts: { total: 50, succeeded: 45, failed: 5 },
    });
    expect(task?.failureGroups.reduce((sum, group) => sum + group.hostCount, 0)).toBe(5);
  });

  it('tells the same story for the same seed, in whichever task, and says why one takes it once only', async () => {
    const told = ['simulate', '--hosts', '3', '--seed', 'again', '--speed', '0', '--json'];
    const [one] = rows<Record<string, number>>(await shiplog(...told, '--task', 'story-1'));
    const [two] = rows<Record<string, number>>(await shiplog(...told, '--task', 'story-2'));
    expect(two?.events).toBe(one?.events);
    const twice = await shiplog(...told.filter((word) => word !== '--json'), '--task', 'story-1');
    expect(twice.code).toBe(1);
    expect(twice.stderr).toContain('take another --task or another --seed');
  });

  it('keeps to its rate', async () => {
    const args = ['--hosts', '2', '--speed', '0', '--rate', '100', '--json'];
    const [summary] = rows<Record<string, number>>(await shiplog('simulate', ...args));
    expect(summary?.eventsPerSecond).toBeLessThan(130);
  });

  it('takes the time of the deployment, as many times faster as it is told', async () => {
    const args = ['--hosts', '1', '--fail-rate', '0', '--speed', '40', '--json'];
    const [summary] = rows<{ seconds: number; tasks: string[] }>(
      await shiplog('simulate', ...args),
    );
    expect(summary?.seconds).toBeGreaterThan(0.4);
    const [task] = rows<TaskRowFragment>(
      await shiplog('task', summary?.tasks[0] as string, '--json'),
    );
    expect(task?.status).toBe('SUCCEEDED');
  });
});

describe('shiplog run', () => {
  it('puts a command into the log: parameters, output in order, end', async () => {
    const script = 'echo one; echo two >&2; printf "10%%\\r100%%\\n"; exit 3';
    const step = ['--task', 'run', '--host', 'web-1', '--step', 'download', '--label', 'zone=a'];
    const ended = await shiplog('run', ...step, '--', 'sh', '-c', script);
    expect(ended).toMatchObject({ code: 3, stdout: 'one\n10%\r100%\n', stderr: 'two\n' });

    const found = await shiplog(
      'tail',
      '--task',
      'run',
      '--last',
      '100',
      '--json',
      '--no-retry',
      ...until('run'),
    );
    const events = rows<EventRowFragment>(found).filter((event) => event.kind !== 'TASK');
    expect(events[0]).toMatchObject({ status: 'RUNNING', params: { argv: ['sh', '-c', script] } });
    const lines = events.filter((event) => event.kind === 'OUTPUT');
    expect(lines.map(({ message, stream, level }) => [message, stream, level]).sort()).toEqual([
      ['100%', 'STDOUT', 'INFO'],
      ['one', 'STDOUT', 'INFO'],
      ['two', 'STDERR', 'WARN'],
    ]);
    expect(events.at(-1)).toMatchObject({
      status: 'FAILED',
      exitCode: 3,
      error: { message: 'two' },
      sequence: 5,
    });
    expect(events.map((event) => event.sequence)).toEqual([1, 2, 3, 4, 5]);
  });

  it('delivers by shiplog send what it could not deliver itself, once', async () => {
    const spool = join(directory, 'spool');
    const options = ['--task', 'spooled', '--host', 'h', '--step', 's', '--spool', spool];
    const away = ['--url', 'http://127.0.0.1:2', '--flush-timeout', '100ms'];
    const { stderr } = await shiplog('run', ...options, ...away, '--', 'echo', 'kept');
    const file = /kept in (\S+)/.exec(stderr)?.[1] as string;
    expect(await shiplog('send', file)).toMatchObject({ code: 0 });
    const again = await shiplog('send', '--remove', file);
    expect(again.stderr).toContain('stored 0, duplicates 3, rejected 0');
    await expect(readFile(file)).rejects.toThrow('ENOENT');
    const found = rows<EventRowFragment>(
      await shiplog('search', 'kept', '--task', 'spooled', '--json'),
    );
    expect(found.map((event) => event.message ?? event.command)).toEqual(['echo kept', 'kept']);
  });
});

/** Ends a task, and the options that end a tail of it. */
function until(taskId: string): string[] {
  void client.query(FinishTaskDocument, { input: { id: taskId } });
  return ['--until-task-ends'];
}

describe('shiplog send', () => {
  it('names the file, the line and the field of each event that was rejected', async () => {
    const file = join(directory, 'events.ndjson');
    const good = (message: string) =>
      JSON.stringify({ taskId: 'sent', host: 'h', step: 's', message });
    const lines = [good('1'), 'broken', '', '{"taskId":"sent","host":"h","stepp":"s"}', good('2')];
    await writeFile(file, `${lines.join('\n')}\n`);
    const { code, stderr } = await shiplog('send', file);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`${file}:2: BAD_JSON: `));
    expect(stderr).toMatch(new RegExp(`${file}:4: UNKNOWN_FIELD: .*stepp`));
    expect(stderr).toContain('stored 2, duplicates 0, rejected 2');
  });

  it('reads stdin', async () => {
    const event = JSON.stringify({ taskId: 'sent', host: 'h', step: 's', message: 'from a pipe' });
    const { code, stdout } = await shiplogWith(event, 'send', '--json');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '{"stored":1,"duplicates":0,"rejected":0}\n',
    });
  });

  it('says which file it cannot read', async () => {
    const { code, stderr } = await shiplog('send', join(directory, 'missing'));
    expect(code).toBe(1);
    expect(stderr).toContain('missing cannot be read');
  });
});

describe('shiplog logs', () => {
  beforeAll(async () => {
    const said = (host: string, message: string, more = {}) => {
      return { taskId: 'logs-1', host, step: 'download', message, ...more };
    };
    await client.query(StartTaskDocument, { input: { id: 'logs-1', plan: ['download'] } });
    for (let from = 0; from < 2_400; from += 800) {
      const inputs = Array.from({ length: 800 }, (_, at) => said('web-1', `line ${from + at}`));
      await client.query(LogStepsDocument, { inputs });
    }
    const error = { message: 'no space left' };
    const inputs = [said('web-2', 'before'), said('web-2', 'end', { status: 'FAILED', error })];
    await client.query(LogStepsDocument, { inputs });
  });

  it('prints all of a task, oldest first, however many lines it has', async () => {
    const { stdout, code } = await shiplog('logs', 'logs-1', '--host', 'web-1', '--json');
    expect(code).toBe(0);
    const messages = rows<EventRowFragment>({ stdout }).map(({ message }) => message);
    expect(messages).toEqual(Array.from({ length: 2_400 }, (_, at) => `line ${at}`));
  });

  it('prints what the failed hosts said with --failed, and says where there is none', async () => {
    const { stdout } = await shiplog('logs', 'logs-1', '--failed');
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/INFO {2}web-2 download before$/),
      expect.stringMatching(/ERROR web-2 download FAILED.*no space left/),
    ]);
    const { stderr } = await shiplog('logs', 'nosuch');
    expect(stderr).toContain('no task "nosuch"');
  });
});

describe('shiplog tail', () => {
  it('follows live, and goes on exactly where the cursor file says', async () => {
    const file = join(directory, 'cursor');
    const options = ['tail', '--task', 'followed', '--cursor-file', file, '--json'];
    await log('followed', '1', '2');
    const first = start(...options, '--last', '10');
    await first.until((stdout) => stdout.includes('"message":"2"'));
    await log('followed', '3');
    await first.until((stdout) => stdout.includes('"message":"3"'));
    await waitForCursor(file);
    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(130);

    await log('followed', '4', '5');
    await client.query(FinishTaskDocument, { input: { id: 'followed' } });
    const second = await shiplog(...options, '--until-task-ends');
    expect(second.code).toBe(0);
    const messages = [
      ...rows<EventRowFragment>(await first.ended),
      ...rows<EventRowFragment>(second),
    ]
      .filter((event) => event.kind === 'OUTPUT')
      .map((event) => event.message);
    expect(messages).toEqual(['1', '2', '3', '4', '5']);
  });

  it.each(['kill', 'stop'] as const)(
    'misses nothing and repeats nothing when the server goes (by %s) and comes back',
    async (way) => {
      const dataDir = await mkdtemp(join(directory, 'cut-'));
      const own = await startServer({ dataDir });
      const writer = new Client({ url: own.url, token: null });
      const write = (message: string) =>
        writer.query(LogStepsDocument, {
          inputs: [{ taskId: 'cut', host: 'h', step: 's', message }],
        });
      const tail = startCli(['tail', '--task', 'cut', '--url', own.url, '--json', '--last', '10']);
      await write('before');
      await tail.until((stdout) => stdout.includes('before'));
      await own[way]();
      await tail.until((_, stderr) => stderr.includes('trying again'));
      const back = await startServer({ dataDir, port: own.port });
      await write('after');
      await tail.until(
        (stdout, stderr) => stdout.includes('after') && stderr.includes('connected again'),
      );
      tail.child.kill('SIGTERM');
      const ended = await tail.ended;
      expect(ended.code).toBe(130);
      const lines = rows<EventRowFragment>(ended).filter((event) => event.kind === 'OUTPUT');
      expect(lines.map((event) => event.message)).toEqual(['before', 'after']);
      await back.stop();
    },
  );

  it('says so at once when the server is away and it may not wait', async () => {
    const { code, stderr } = await runCli(['tail', '--no-retry', '--url', 'http://127.0.0.1:2']);
    expect(code).toBe(3);
    expect(stderr).toContain('no connection to http://127.0.0.1:2');
  });

  it('refuses a cursor that is none, and a search that cannot be parsed', async () => {
    const damaged = await shiplog('tail', '--after', 'nonsense');
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toMatch(/^shiplog: --after: .*cursor/);
    const file = join(directory, 'damaged-cursor');
    await writeFile(file, 'nonsense\n');
    const kept = await shiplog('tail', '--cursor-file', file);
    expect(kept.stderr).toContain(`--cursor-file ${file}: `);
    const malformed = await shiplog('tail', '--search', '"open');
    expect(malformed.code).toBe(1);
    expect(malformed.stderr).toMatch(/column/);
  });

  it('ends well when its reader has read enough', async () => {
    await log('piped', 'enough');
    const tail = start('tail', '--task', 'piped', '--last', '10');
    await tail.until((stdout) => stdout.includes('enough'));
    tail.child.stdout?.destroy();
    await log('piped', 'more');
    expect((await tail.ended).code).toBe(0);
  });
});

async function waitForCursor(file: string): Promise<void> {
  await expect.poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 5_000 }).not.toBe('');
}

describe('shiplog start', () => {
  it('takes hosts with spaces between them, and fails where it had to leave one out', async () => {
    const begun = await shiplog('start', 'spaced', '--hosts', 'web-1, web-2 ,,web-3', '--json');
    expect(begun).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(begun.stdout).task).toMatchObject({ expectedHosts: 3 });
    const short = await shiplog('start', 'short of one', '--hosts', `web-1,${'x'.repeat(300)}`);
    expect(short.code).toBe(1);
    expect(short.stderr).toContain('task short of one begun');
    expect(short.stderr).toMatch(
      /left out:\n {2}hosts\[1\]: hosts\[1\] is longer than \d+ characters/,
    );
  });
});

describe('shiplog task, tasks and search', () => {
  it('shows the board with its failures, and --exit-status tells how it ended', async () => {
    await shiplog('start', 'shown', '--service', 'orders', '--version', '2.4.0', '--hosts', 'a,b');
    const step = ['--task', 'shown', '--host', 'a', '--step', 'backup'];
    await shiplog('run', ...step, '--', 'sh', '-c', 'echo disk is full >&2; exit 1');
    const running = await shiplog('task', 'shown', '--exit-status');
    expect(running).toMatchObject({ code: 0 });
    expect(running.stdout).toContain('RUNNING');
    expect((await shiplog('finish', 'shown')).stderr).toMatch(/task shown ended: (FAILED|PARTIAL)/);

    const ended = await shiplog('task', 'shown', '--exit-status', '--failed');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('orders 2.4.0');
    expect(ended.stdout).toMatch(/F N N N N N N {2}1 host {3}a/);
    expect(ended.stdout).toContain('✖ disk is full');
    expect(ended.stdout).toContain('(exit 1)');

    const [task] = rows<TaskRowFragment>(
      await shiplog('tasks', '--service', 'orders', '--host', 'b', '--json'),
    );
    expect(task).toMatchObject({ id: 'shown', version: '2.4.0' });
    expect((await shiplog('tasks', '--service', 'orders')).stdout).toMatch(
      /shown +(FAILED|PARTIAL)/,
    );
  });

  it('follows the board until the task ends', async () => {
    await client.query(StartTaskDocument, { input: { id: 'watched', hosts: ['a'] } });
    const watch = start('task', 'watched', '--watch', '--exit-status');
    await watch.until((_, stderr) => stderr.includes('of 1 host succeeded'));
    await client.query(FinishTaskDocument, { input: { id: 'watched', status: 'CANCELLED' } });
    const { code, stdout } = await watch.ended;
    expect(code).toBe(1);
    expect(stdout).toContain('CANCELLED');
  });

  it('says that there is no such task', async () => {
    expect(await shiplog('task', 'unknown')).toMatchObject({
      code: 1,
      stderr: 'shiplog: there is no task unknown\n',
    });
  });

  it('finds events, newest last, and says how many there are', async () => {
    await log('searched', 'needle one', 'hay', 'needle two', 'needle three');
    const found = await shiplog(
      'search',
      'needle',
      '--task',
      'searched',
      '--limit',
      '2',
      '--from',
      '1h',
    );
    expect(found.code).toBe(0);
    expect(found.stdout).toMatch(/needle two\n.*needle three\n$/);
    expect(found.stderr).toContain('the newest 2 of 3 found');
    const malformed = await shiplog('search', '"open');
    expect(malformed.code).toBe(1);
    expect(malformed.stderr).toMatch(/column/);
  });
});

describe('what a person may have meant', () => {
  it('is said where nothing is found', async () => {
    await log('meant', 'needle');
    const [fields, task, time, known] = await Promise.all([
      shiplog('search', 'lvl:error'),
      shiplog('search', 'needle', '--task', 'nosuch'),
      shiplog('search', 'zebra'),
      shiplog('search', 'needle', '--task', 'meant', '--step', 'donwload'),
    ]);
    expect(fields.stderr).toMatch(/lvl: is taken as a word \(the fields are level, host, step/);
    expect(task.stderr).toBe('nothing found: there is no task nosuch\n');
    expect(time.stderr).toContain('in the last 24 hours (--from 30d looks further back)');
    expect(known.stderr).toContain('task meant has no step donwload (it has ');
    const tasks = await shiplog('tasks', '--status', 'failed', '--service', 'nothing');
    expect(tasks.stderr).toContain('--status failed,partial');
  });

  it('is said where a tail would wait for ever', async () => {
    const tail = start('tail', '--task', 'nosuch');
    await tail.until((_, stderr) => stderr.includes('there is no task nosuch; waiting for it'));
    tail.child.kill('SIGTERM');
    expect((await tail.ended).code).toBe(130);
  });

  it('comes with the day where it was not today, and with the zone of the times', async () => {
    const at = '2026-03-01T10:00:00.000Z';
    const inputs = [{ taskId: 'old', host: 'h', step: 's', message: 'ancient', at }];
    await client.query(LogStepsDocument, { inputs });
    const { stdout, stderr } = await shiplog('search', 'ancient', '--task', 'old');
    expect(stdout).toMatch(/^2026-0[23]-\d\d \d\d:\d\d:\d\d\.000 /);
    expect(stderr).toMatch(/\(times in UTC/);
  });

  it('is a list of the hosts that failed, one a line, for a retry', async () => {
    const report = (host: string, status: 'SUCCEEDED' | 'FAILED') => ({
      taskId: 'retry',
      host,
      step: 's',
      status,
    });
    const inputs = [
      report('web-2', 'FAILED'),
      report('web-1', 'FAILED'),
      report('ok', 'SUCCEEDED'),
    ];
    await client.query(LogStepsDocument, { inputs });
    const failed = await shiplog('task', 'retry', '--failed', '--hosts-only');
    expect(failed).toMatchObject({ code: 0, stdout: 'web-1\nweb-2\n' });
  });
});

describe('a server that asks for tokens', () => {
  it('ends clients without one with exit code 4, over HTTP and websocket', async () => {
    const file = join(directory, 'tokens');
    await writeFile(file, '');
    const guarded = await startServer({ env: { SHIPLOG_TOKENS_FILE: file } });
    const env = { SHIPLOG_URL: guarded.url };
    expect((await runCli(['tasks'], { env })).code).toBe(4);
    expect((await runCli(['tail'], { env })).code).toBe(4);
    expect((await runCli(['tasks', '--token', 'wrong'], { env })).code).toBe(4);
    await guarded.stop();
  });
});
