import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StepEventInput } from '../../src/cli/gen/graphql.ts';
import { MAIN, NODE, runCli, startCli } from '../support/cli.ts';
import { answer, standIn, storeAll } from '../support/stand-in.ts';

/** Nothing listens there: the port is reserved, and none of those that fetch itself refuses. */
const NOWHERE = 'http://127.0.0.1:2';
const STEP = ['--task', 't', '--host', 'h', '--step', 's'];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shiplog-run-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function run(url: string, options: string[], ...command: string[]) {
  return runCli(['run', '--url', url, ...STEP, ...options, '--', ...command]);
}

function inputsOf(bodies: string[]): StepEventInput[] {
  return bodies.flatMap(
    (body) => (JSON.parse(body) as { variables: { inputs: StepEventInput[] } }).variables.inputs,
  );
}

describe('a command whose environment is not what it should be', () => {
  const wrapped = (env: Record<string, string>, options: string[], ...command: string[]) =>
    runCli(['run', ...STEP, ...options, '--', ...command], { env });

  it.each(['ftp://bob:Hunter2@h', 'bob:Hunter2@h', 'shiplog:4000/x y'])(
    'runs where SHIPLOG_URL is %j: that is said at once, and what it did is kept',
    async (url) => {
      const spool = join(directory, `no-url-${url.length}`);
      const script = 'echo out; echo err >&2; exit 7';
      const env = { SHIPLOG_URL: url };
      const ended = await wrapped(env, ['--spool', spool], 'sh', '-c', script);
      expect(ended).toMatchObject({ code: 7, stdout: 'out\n' });
      expect(ended.stderr).toMatch(/^shiplog run \(h s\): --url \(or SHIPLOG_URL\) .*\nerr\n/);
      expect(ended.stderr).toContain('events could not be delivered: --url (or SHIPLOG_URL) must');
      expect(ended.stderr).not.toContain('Hunter2');
      expect(await readdir(spool)).toHaveLength(1);
    },
  );

  it('reports without the password of SHIPLOG_URL, and without a token whose file is not there', async () => {
    const server = await standIn((_request, response, body) => storeAll(response, body));
    const url = server.url.replace('//', '//bob:Hunter2@');
    const env = { SHIPLOG_URL: url, SHIPLOG_TOKEN_FILE: join(directory, 'not-there-yet') };
    const ended = await wrapped(env, [], 'echo', 'out');
    expect(ended).toMatchObject({ code: 0, stdout: 'out\n' });
    expect(ended.stderr).toContain('carries a user name or a password');
    expect(ended.stderr).toContain('SHIPLOG_TOKEN_FILE cannot be read');
    expect(ended.stderr).not.toContain('Hunter2');
    expect(inputsOf(server.bodies).at(-1)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('is not begun where the address on its command line is none', async () => {
    const { code, stdout, stderr } = await run('ftp://bob:Hunter2@h', [], 'echo', 'out');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--url (or SHIPLOG_URL) must be an address');
    expect(stderr).not.toContain('Hunter2');
  });

  it.skipIf(!existsSync('/proc/self'))(
    'ends as it ends, where a spool is given that no directory can be',
    async () => {
      const options = ['--flush-timeout', '100ms', '--spool', '/proc/no-such/spool'];
      const { code, stderr } = await run(NOWHERE, options, 'sh', '-c', 'exit 3');
      expect(code).toBe(3);
      expect(stderr).toMatch(/the spool cannot be written: .*\/proc\/no-such/);
    },
  );
});

describe('a command that runs while the server is away', () => {
  it('prints what it prints, ends as it ends, and what was not delivered is said', async () => {
    const { code, stdout, stderr } = await run(
      NOWHERE,
      ['--flush-timeout', '200ms'],
      'sh',
      '-c',
      'printf "out\\nno end"; echo err >&2; exit 7',
    );
    expect(code).toBe(7);
    expect(stdout).toBe('out\nno end');
    expect(stderr).toMatch(/^err\n/);
    expect(stderr).toContain('5 events could not be delivered: no answer from http://127.0.0.1:2');
  });

  it('leaves a spool with every event once, in order, ready to be sent, and read by nobody else', async () => {
    const spool = join(directory, 'spool');
    const options = ['--flush-timeout', '100ms', '--spool', spool];
    const { code, stderr } = await run(NOWHERE, options, 'sh', '-c', 'echo one; echo two');
    expect(code).toBe(0);
    const [file] = await readdir(spool);
    expect(stderr).toContain(file);
    // Secrets in it are redacted only when it is stored.
    for (const path of [spool, join(spool, file as string)]) {
      expect((await stat(path)).mode & 0o077, path).toBe(0);
    }
    const text = await readFile(join(spool, file as string), 'utf8');
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as StepEventInput);
    expect(events.map((event) => event.status ?? event.message)).toEqual([
      'RUNNING',
      'one',
      'two',
      'SUCCEEDED',
    ]);
    expect(events.map((event) => event.sequence)).toEqual([1, 2, 3, 4]);
    expect(new Set(events.map((event) => event.writer)).size).toBe(1);
  });

  it('ends soon after its command, without being told how long to wait', async () => {
    const began = performance.now();
    const { code, stderr } = await run(NOWHERE, [], 'true');
    expect(code).toBe(0);
    expect(stderr).toContain('2 events could not be delivered');
    expect(performance.now() - began).toBeLessThan(4_500);
  });

  it('is not held up by a server that takes the connection and never answers', async () => {
    await using server = await standIn(() => {});
    const began = performance.now();
    const { code, stderr } = await run(server.url, ['--flush-timeout', '300ms'], 'echo', 'hi');
    expect(code).toBe(0);
    expect(stderr).toContain('could not be delivered');
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('floods without harm: memory is bounded, the statuses stay, the loss is said', async () => {
    const spool = join(directory, 'flood');
    const options = ['--flush-timeout', '100ms', '--spool', spool];
    const { code, stderr, stdout } = await run(NOWHERE, options, 'seq', '1', '120000');
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(700_000);
    expect(stderr).toMatch(/\d+ lines of output were dropped/);
    const [file] = await readdir(spool);
    const text = await readFile(join(spool, file as string), 'utf8');
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as StepEventInput);
    expect(events.length).toBeLessThanOrEqual(100_500);
    expect(events[0]?.status).toBe('RUNNING');
    expect(events.some((event) => event.message?.includes('lines of output were dropped'))).toBe(
      true,
    );
    expect(events.at(-1)).toMatchObject({ status: 'SUCCEEDED', sequence: 120_002 });
  });
});

describe('a command that runs while the server is busy', () => {
  it('is reported once the server takes it, with the same ids', async () => {
    await using server = await standIn((_request, response, body, count) => {
      if (count === 1) answer(response, 503, { errors: [] }, { 'retry-after': '0' });
      else if (count === 2) {
        const extensions = { code: 'OVERLOADED', retryAfterMs: 10 };
        answer(response, 200, { errors: [{ message: 'The queue is full', extensions }] });
      } else if (count === 3) response.destroy();
      else storeAll(response, body);
    });
    const { code, stderr } = await run(server.url, [], 'echo', 'hi');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [first, second, third] = server.bodies;
    expect(second).toBe(first);
    expect(third).toBe(first);
    const delivered = inputsOf(server.bodies.slice(3));
    expect(delivered.map((event) => event.sequence)).toEqual([1, 2, 3]);
  });

  it('is reported at its end at the latest, however long the server asked to wait before', async () => {
    await using server = await standIn((_request, response, body, count) => {
      const extensions = { code: 'OVERLOADED', retryAfterMs: 60_000 };
      if (count > 1) storeAll(response, body);
      else answer(response, 200, { errors: [{ message: 'The queue is full', extensions }] });
    });
    const { code, stderr } = await run(server.url, [], 'sh', '-c', 'sleep 1; echo hi');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const delivered = inputsOf(server.bodies.slice(1));
    expect(delivered.map((event) => event.sequence)).toEqual([1, 2, 3]);
  });

  it('goes on though the token is refused, and says so', async () => {
    await using server = await standIn((_request, response) => {
      const extensions = { code: 'UNAUTHENTICATED' };
      answer(response, 401, { errors: [{ message: 'The token is unknown', extensions }] });
    });
    const { code, stdout, stderr } = await run(server.url, [], 'echo', 'hi');
    expect(code).toBe(0);
    expect(stdout).toBe('hi\n');
    expect(stderr).toContain('could not be delivered: The token is unknown');
    expect(server.bodies).toHaveLength(1);
  });
});

describe('a command that prints faster than the server takes it', () => {
  it('has its end in the log, though lines before it could not be delivered', async () => {
    await using server = await standIn((_request, response, body) => {
      const [first] = inputsOf([body]);
      // Batches of lines are never answered; a status is.
      if (first?.status !== undefined) storeAll(response, body);
    });
    const spool = join(directory, 'late');
    const options = ['--flush-timeout', '500ms', '--spool', spool];
    const script = 'echo one; echo two; exit 4';
    const { code, stderr } = await run(server.url, options, 'sh', '-c', script);
    expect(code).toBe(4);
    expect(inputsOf(server.bodies.slice(-1))).toMatchObject([
      { status: 'FAILED', exitCode: 4, sequence: 4 },
    ]);
    expect(stderr).toContain('2 events could not be delivered: the server did not answer in time');
    const [file] = await readdir(spool);
    const kept = (await readFile(join(spool, file as string), 'utf8')).trimEnd().split('\n');
    expect(kept.map((line) => (JSON.parse(line) as StepEventInput).message)).toEqual([
      'one',
      'two',
    ]);
  });
});

describe('an event that the server rejects', () => {
  it('is said once for each reason, with how many there were', async () => {
    await using server = await standIn((_request, response, body) => {
      const results = inputsOf([body]).map(({ eventId }, index) => ({
        index,
        eventId,
        outcome: 'REJECTED',
        error: { code: 'TASK_EXPIRED', message: 'The task is gone', field: null },
      }));
      const counts = { stored: 0, duplicates: 0, rejected: results.length };
      answer(response, 200, { data: { logSteps: { ...counts, results } } });
    });
    const { code, stderr } = await run(server.url, [], 'sh', '-c', 'echo one; echo two');
    expect(code).toBe(0);
    expect(stderr).toBe(
      'shiplog run (h s): the server rejected 4 events: TASK_EXPIRED: The task is gone\n',
    );
  });
});

describe('how a command ends', () => {
  it('is mirrored: not found 127, not executable 126, by a signal 128 and its number', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    expect((await run(server.url, [], join(directory, 'missing'))).code).toBe(127);
    expect((await run(server.url, [], directory)).code).toBe(126);
    expect((await run(server.url, [], 'sh', '-c', 'kill -KILL $$')).code).toBe(137);
    const ends = inputsOf(server.bodies).filter((event) => event.status === 'FAILED');
    expect(ends.map(({ exitCode, error }) => [exitCode, error?.code])).toEqual([
      [127, 'ENOENT'],
      [126, 'EACCES'],
      [137, 'SIGKILL'],
    ]);
  });

  it('is never a success where a signal without a name ended it', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    const ends = await Promise.all(
      ['kill -34 $$', 'kill -64 $$', 'exit 162'].map((script) =>
        run(server.url, [], 'bash', '-c', script),
      ),
    );
    expect(ends.map(({ code }) => code)).toEqual([162, 192, 162]);
    const failed = inputsOf(server.bodies).filter((event) => event.status === 'FAILED');
    expect(failed.map(({ exitCode, error }) => [exitCode, error?.code ?? null]).sort()).toEqual([
      [162, null],
      [162, 'SIG34'],
      [192, 'SIG64'],
    ]);
  });

  it('is its own decision when a signal comes: the signal is handed on', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    const script = 'trap "echo cleaning; exit 9" TERM; echo ready; while :; do sleep 0.05; done';
    const running = startCli(['run', '--url', server.url, ...STEP, '--', 'sh', '-c', script]);
    await running.until((stdout) => stdout.includes('ready'));
    running.child.kill('SIGTERM');
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 9, stdout: 'ready\ncleaning\n' });
    expect(inputsOf(server.bodies).at(-1)).toMatchObject({ status: 'FAILED', exitCode: 9 });
  });

  it.each(['SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)(
    'is not left behind without us, nor debugged, when %s comes',
    async (signal) => {
      await using server = await standIn((_request, response, body) => storeAll(response, body));
      const script = 'echo ready; exec sleep 20';
      const running = startCli(['run', '--url', server.url, ...STEP, '--', 'sh', '-c', script]);
      await running.until((stdout) => stdout.includes('ready'));
      running.child.kill(signal);
      const { code, stderr } = await running.ended;
      expect({ code, stderr }).toEqual({ code: 128 + constants.signals[signal], stderr: '' });
    },
  );

  it('is that of a pipeline: it is told when nobody reads its output any more', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    const running = startCli(['run', '--url', server.url, ...STEP, '--', 'yes']);
    await running.until((stdout) => stdout !== '');
    running.child.stdout?.destroy();
    const { code, stderr } = await running.ended;
    expect(code).toBe(128 + constants.signals.SIGPIPE);
    expect(stderr).not.toContain('yes:');
  });

  it('does not wait for a daemon that keeps the output open', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    const began = performance.now();
    const { code, stdout } = await run(server.url, [], 'sh', '-c', 'sleep 20 & echo $!');
    process.kill(Number(stdout.trim()));
    expect(code).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('has as its reason the cause, whatever real tools print behind it', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    await run(server.url, [], 'node', '-e', 'require("nope")');
    await run(server.url, [], 'bash', '-xc', 'echo "no space left" >&2; exit 3');
    const ends = inputsOf(server.bodies).filter((event) => event.status === 'FAILED');
    expect(ends.map(({ error }) => error?.message)).toEqual([
      "Error: Cannot find module 'nope'",
      'no space left',
    ]);
  });

  it.each(['a pipe', 'a file'])(
    'leaves alive what it started in the background, whose output goes to %s',
    async (outlet) => {
      await using server = await standIn((_request, response, body) => storeAll(response, body));
      const base = join(directory, outlet.replace(' ', '-'));
      const script = `while :; do echo tick; echo >> ${base}.lines; sleep 0.02; done & echo $! > ${base}.pid`;
      const args = ['run', '--url', server.url, ...STEP, '--', 'sh', '-c', script];
      const redirect = ['sh', '-c', `"$@" > ${base}.out 2>&1`, 'sh', NODE, MAIN] as const;
      const ended = await runCli(args, outlet === 'a file' ? { command: [...redirect] } : {});
      const daemon = Number(await readFile(`${base}.pid`, 'utf8'));
      try {
        const size = async (name: string) => (await readFile(`${base}.${name}`)).length;
        const [lines, printed] = [await size('lines'), ended.stdout.length];
        await expect.poll(() => size('lines')).toBeGreaterThan(lines + 20);
        if (outlet === 'a file') expect(await size('out')).toBeGreaterThan(printed + 100);
        expect(ended.code).toBe(0);
        expect(ended.stderr.includes('not kept')).toBe(outlet === 'a pipe');
      } finally {
        process.kill(daemon);
      }
    },
  );

  it('has as its reason the last line on stderr, else the last on stdout, else the code', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    await run(
      server.url,
      [],
      'sh',
      '-c',
      'echo first >&2; printf "\\033[31mlast\\033[0m\\n\\n" >&2; echo out; exit 2',
    );
    await run(server.url, [], 'sh', '-c', 'echo out; exit 2');
    await run(server.url, [], 'sh', '-c', 'exit 2');
    const ends = inputsOf(server.bodies).filter((event) => event.status === 'FAILED');
    expect(ends.map(({ error }) => error?.message)).toEqual(['last', 'out', 'exit code 2']);
  });

  it('needs a task and a step: without them nothing is run', async () => {
    const marker = join(directory, 'marker');
    const { code, stderr } = await runCli(['run', '--', 'touch', marker]);
    expect(code).toBe(2);
    expect(stderr).toContain('--task');
    expect(existsSync(marker)).toBe(false);
  });
});
