/** shiplog.sh where something goes wrong around it: no deployment is changed, and no event gone in silence. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, runCli, startCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { CLIENTS, isInstalled, LANGUAGES, startAgent } from './agent.ts';
import { linesOf, type StoredTask, taskOnce } from './stored.ts';
import { startStubServer, stored } from './stub-server.ts';

const LONG_MS = 120_000;
const SCRIPT = join(CLIENTS, 'sh', 'shiplog.sh');
/** dash, or what else is the system's, and the one whose `wait` and settings differ. */
const SHELLS = ['sh', ...(isInstalled('bash') ? ['bash'] : [])];
/** With the words that begin a program. */
const MORE_SHELLS = [
  ['bash', '--posix', '-c'],
  ['mksh', '-c'],
  ['zsh', '--emulate', 'sh', '-c'],
  ['busybox', 'ash', '-c'],
].filter(([shell = '']) => isInstalled(shell));
const NOBODY = 'http://127.0.0.1:9';
/** What is written beyond so many blocks of 512 bytes fails as on a full disk, and kills nobody. */
const FULL_AT_4_KIB = 'trap "" XFSZ; ulimit -S -f 8;';

describe.runIf(LANGUAGES.includes('sh'))('shiplog.sh', () => {
  let directory: string;
  let server: TestServer;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shiplog-sh-'));
    server = await startServer();
  }, LONG_MS);
  afterAll(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const spoolOf = (name: string) => join(directory, name);
  const sh = (
    name: string,
    program: string,
    env: Record<string, string> = {},
    shell = 'sh',
  ): Promise<Ended> =>
    runCli(['-c', program], {
      command: [shell],
      env: { SHIPLOG_SH: SCRIPT, SHIPLOG_URL: server.url, SHIPLOG_SPOOL: spoolOf(name), ...env },
    });
  /** Runs the body in a script that stops at the first command that fails. */
  const script = (name: string, body: string, env: Record<string, string> = {}, shell = 'sh') =>
    sh(
      name,
      `set -eu; . "$SHIPLOG_SH"; shiplog_open; shiplog_step ${name} web-1 download\n${body}`,
      env,
      shell,
    );
  /** A directory with all that busybox has. */
  async function applets(): Promise<string> {
    const found = spoolOf('busybox');
    await mkdir(found);
    execFileSync('busybox', ['--install', '-s', found]);
    return found;
  }
  const ended = (name: string) =>
    taskOnce(server, name, 'web-1', ({ run }) => run?.step?.status !== undefined);
  const messagesOf = (task: StoredTask) => task.events.map(({ message }) => message ?? '');

  it(
    'passes all output and the exit code on when the disk of the spool is full, and says how much is not reported',
    async () => {
      const lines = 30_000;
      const run = `exec sh "$SHIPLOG_SH" run full web-1 download sh -c 'seq -f "line %.0f" ${lines}; exit 7'`;
      const { code, stdout, stderr } = await sh('full', `${FULL_AT_4_KIB} ${run}`);
      expect([code, stdout.split('\n').length]).toEqual([7, lines + 1]);
      const said = [...stderr.matchAll(/(\d+) lines of STDOUT could not be written/g)];
      expect(said.length, stderr).toBe(1);
      expect(stderr).not.toContain('not taken');
      const found = await taskOnce(server, 'full', 'web-1', ({ run: of }) =>
        Boolean(of?.step?.exitCode),
      );
      expect(found.run?.step).toMatchObject({ status: 'FAILED', exitCode: 7 });
      const reported = linesOf(found).length;
      expect(reported).toBeGreaterThan(0);
      expect(reported + Number(said[0]?.[1])).toBe(lines);
      expect(messagesOf(found)).toContain(
        `[shiplog] ${said[0]?.[1]} lines of output were dropped here: there was no room for them`,
      );
    },
    LONG_MS,
  );

  it('tells the last line of stderr as the reason, though it was delivered before it was asked for', async () => {
    const lines = '"$SHIPLOG_SPOOL"/*/*.e.STDERR.*.ndjson >/dev/null 2>&1';
    // Its stdout stays open until all of stderr is delivered.
    const command = `echo "no space left" >&2
      until ls ${lines}; do sleep 0.1; done
      while ls ${lines}; do sleep 0.1; done 2>&- &
      exit 3`;
    const run = `exec sh "$SHIPLOG_SH" run reason web-1 download sh -c '${command}'`;
    expect((await sh('reason', run)).code).toBe(3);
    expect((await script('reason', 'shiplog_close 20')).code).toBe(0);
    expect((await ended('reason')).run?.step).toMatchObject({
      status: 'FAILED',
      error: { message: 'no space left' },
    });
  });

  it.each(SHELLS)(
    'lets %s wait for what a script runs at the same time, and no longer',
    async (shell) => {
      const name = `wait-${shell}`;
      const { code, stdout, stderr } = await script(
        name,
        `for host in web-1 web-2; do
         { shiplog_step ${name} "$host" download; shiplog_line 'line 1'; shiplog_succeeded; } &
       done
       wait; echo waited; shiplog_close 20`,
        {},
        shell,
      );
      expect([code, stdout], stderr).toEqual([0, 'waited\n']);
      expect(linesOf(await ended(name))).toEqual([1, 1]);
      expect(await readdir(spoolOf(name))).toEqual([]);
    },
  );

  it.each([
    ...SHELLS.map((shell) => [shell, 'exec 9>&1']),
    ...SHELLS.filter((shell) => shell === 'bash').map((shell) => [shell, 'exec {kept}>&1']),
  ])('keeps nothing open of what a killed script had open: %s, %s', async (shell, open = '') => {
    const name = `open-${shell}-${open.length}`;
    // Locks and pipes alike: the output ends when nobody has it open any more.
    const body = `shiplog_line 'line 1'; kill -9 $$`;
    const env = { SHIPLOG_URL: NOBODY };
    const { signal } = await sh(
      name,
      `${open}; . "$SHIPLOG_SH"; shiplog_open; shiplog_step ${name} web-1 download; ${body}`,
      env,
      shell,
    );
    expect(signal).toBe('SIGKILL');
    await rm(spoolOf(name), { recursive: true, maxRetries: 3 });
  });

  /** What scripts set at their beginning, and what must not change what is reported. */
  const SETTINGS = [
    ['sh', "set -f; IFS=''"],
    ...SHELLS.filter((shell) => shell === 'bash').flatMap((shell) => [
      [shell, "set -euo pipefail; IFS=$'\\n\\t'"],
      [shell, 'set -eEf; shopt -s failglob; trap "echo trapped" ERR'],
    ]),
  ].map(([shell = '', settings = ''], index) => ({ name: `settings-${index}`, shell, settings }));

  it.each(SETTINGS)(
    'reports everything under $shell with $settings',
    async ({ name, shell, settings }) => {
      const { code, stdout, stderr } = await script(
        name,
        `${settings}
       shiplog_close; shiplog_open
       shiplog_start_task ${name} shop 1.4.2
       shiplog_step ${name} web-1 download
       shiplog_running 'a command'
       seq 1 2 | sed 's/^/line /' | shiplog_lines
       shiplog_line 'line 3' STDERR WARN
       shiplog_failed 3 'no "space" \\ left'
       shiplog_run ${name} web-2 download sh -c 'echo "line 4"; exit 4' || echo "code $?"
       shiplog_close 20`,
        {},
        shell,
      );
      expect([code, stdout], stderr).toEqual([0, 'line 4\ncode 4\n']);
      const found = await ended(name);
      expect([found.service, linesOf(found).sort(), found.run?.step]).toEqual([
        'shop',
        [1, 2, 3, 4],
        { status: 'FAILED', exitCode: 3, error: { message: 'no "space" \\ left' } },
      ]);
      expect(found.events.filter(({ status }) => status === 'RUNNING').length).toBe(2);
      expect(await readdir(spoolOf(name))).toEqual([]);
    },
  );

  it.each(SETTINGS)(
    'keeps what was not delivered, says how much and delivers it later under $shell with $settings',
    async ({ name, shell, settings }) => {
      const left = `left-${name}`;
      const body = `${settings}; shiplog_line 'line 1'; shiplog_close 0`;
      const { code, stderr } = await script(left, body, { SHIPLOG_URL: NOBODY }, shell);
      expect([code, stderr]).toEqual([0, expect.stringContaining('1 events were not delivered')]);
      const next = `${settings}; . "$SHIPLOG_SH"; shiplog_open; shiplog_close 20`;
      expect((await sh(left, next, {}, shell)).code).toBe(0);
      const found = await taskOnce(server, left, 'web-1', (task) => linesOf(task).length > 0);
      expect(linesOf(found)).toEqual([1]);
      expect(await readdir(spoolOf(left))).toEqual([]);
    },
  );

  it.each(MORE_SHELLS)('reports the same under %s %s', async (shell = '', ...words) => {
    const name = `under-${shell}`;
    const coloured = '\u001b[31mred\u001b[0m\ttab "q" \\ ä';
    const env: Record<string, string> = {
      ...{ SHIPLOG_SH: SCRIPT, SHIPLOG_URL: server.url, SHIPLOG_SPOOL: spoolOf(name) },
      COLOURED: coloured,
    };
    // Its own awk, sed and what else there is, as in a container with nothing else.
    if (shell === 'busybox') env.PATH = `${await applets()}:${process.env.PATH}`;
    const program = `set -eu; . "$SHIPLOG_SH"; shiplog_open
      shiplog_start_task ${name} shop 1.4.2
      shiplog_step ${name} web-1 download
      shiplog_running 'a "command"'
      printf '%s\\nno end' "$COLOURED" | shiplog_lines
      shiplog_line 'line 1'
      shiplog_run ${name} web-2 unpack sh -c 'echo out; echo why >&2; exit 4' || echo "code $?"
      shiplog_failed 3 'no space left'
      shiplog_close 20; echo over`;
    const { code, stdout, stderr } = await runCli([...words.filter(Boolean), program], {
      command: [shell],
      env,
    });
    expect([code, stdout, stderr]).toEqual([0, 'out\ncode 4\nover\n', 'why\n']);
    const found = await ended(name);
    expect(messagesOf(found).filter(Boolean).sort()).toEqual(
      [coloured, 'line 1', 'no end', 'out', 'task began', 'why'].sort(),
    );
    expect(found.service).toBe('shop');
    // The step of the script is still the one that it was.
    expect(found.run?.step).toMatchObject({ status: 'FAILED', exitCode: 3 });
    expect(await readdir(spoolOf(name))).toEqual([]);
  });

  it.runIf(isInstalled('zsh'))(
    'says in zsh how it is to be read, and lets the script run',
    async () => {
      const program = `. "$SHIPLOG_SH"; shiplog_open; shiplog_step zsh web-1 download; shiplog_succeeded; echo over`;
      const { code, stdout, stderr } = await sh('zsh', program, {}, 'zsh');
      expect([code, stdout, stderr]).toEqual([
        0,
        'over\n',
        expect.stringContaining('emulate sh -c'),
      ]);
    },
  );

  it.each(SHELLS)(
    'does not let %s wait for a daemon that a wrapped command started, nor stumble over set -C',
    async (shell) => {
      const name = `daemon-${shell}`;
      const sleeper = spoolOf(`${name}.pid`);
      const program = `set -euC; . "$SHIPLOG_SH"; shiplog_open; shiplog_step ${name} web-1 download
        shiplog_running 'first'; shiplog_running 'second'
        shiplog_run ${name} web-2 start sh -c 'sleep 300 & echo $! >${sleeper}'
        wait; echo waited
        shiplog_succeeded; shiplog_close 20; echo over`;
      const running = startCli(['-c', program], {
        command: [shell],
        env: { SHIPLOG_SH: SCRIPT, SHIPLOG_URL: server.url, SHIPLOG_SPOOL: spoolOf(name) },
      });
      await running.until((stdout) => stdout.includes('over\n'));
      // Until it ends, the daemon has the output of the script, too.
      process.kill(Number(await readFile(sleeper, 'utf8')));
      const { code, stdout, stderr } = await running.ended;
      expect([code, stdout, stderr]).toEqual([0, 'waited\nover\n', '']);
      expect((await ended(name)).run?.step?.status).toBe('SUCCEEDED');
    },
  );

  it.each(SHELLS)(
    'reports how a command ended when a signal comes to all of its group in %s',
    async (shell) => {
      const name = `group-${shell}`;
      const running = startCli(
        [SCRIPT, 'run', name, 'web-1', 'download', 'sh', '-c', 'echo up; exec sleep 300'],
        {
          command: [shell],
          env: { SHIPLOG_URL: server.url },
          detached: true,
        },
      );
      await running.until((stdout) => stdout.includes('up'));
      process.kill(-(running.child.pid as number), 'SIGTERM');
      expect((await running.ended).code).toBe(143);
      const found = await ended(name);
      expect([found.run?.step, messagesOf(found)]).toMatchObject([
        { status: 'FAILED', exitCode: 143 },
        expect.arrayContaining(['up']),
      ]);
    },
  );

  it.each([
    ['an end of line', ['a'.repeat(1_500), '', '', 'b', ''], '\n'],
    ['none', [...Array<string>(4).fill('x'.repeat(1_500)), 'y'.repeat(1_000)], ''],
  ])(
    'reports each line of an output once, empty ones too, where it ends with %s',
    async (end, lines, last) => {
      const name = `ends-${last.length}`;
      const env = { PRINTED: `${lines.join('\n')}${last}` };
      const body = `printf %s "$PRINTED" | shiplog_lines; shiplog_succeeded; shiplog_close 20`;
      expect(await script(name, body, env), end).toMatchObject({ code: 0, stderr: '' });
      const { events } = await taskOnce(
        server,
        name,
        'web-1',
        (task) => task.events.length > lines.length,
      );
      const printed = events.filter(({ status }) => status === null);
      expect(printed.map(({ message }) => message)).toEqual(lines);
    },
  );

  it('shows no token where a script traces what it does', async () => {
    const { code, stderr } = await script(
      'traced',
      `set -x; shiplog_close; shiplog_open; shiplog_step traced web-1 download
       shiplog_succeeded; shiplog_close 20`,
      { SHIPLOG_TOKEN: 'shp_secret' },
    );
    expect(code).toBe(0);
    expect(stderr).toContain('shiplog_succeeded');
    expect(stderr).not.toContain('shp_secret');
  });

  it('waits no longer than it should where the clock is set back meanwhile', async () => {
    const jumped = spoolOf('jumped');
    const { code, stdout, stderr } = await script(
      'jump',
      `shiplog_line 'line 1'
       date() { if [ -e ${jumped} ]; then echo $(($(command date +%s) - 3600)); else : >${jumped}; command date +%s; fi; }
       shiplog_flush 1 || echo 'not yet'; shiplog_close 0`,
      { SHIPLOG_URL: NOBODY },
    );
    expect([code, stdout], stderr).toEqual([0, 'not yet\n']);
  });

  it('ends as the command does and reports all when nobody reads its stderr any more', async () => {
    const name = 'unread';
    const pipe = `${spoolOf(name)}.pipe`;
    // Its only reader is gone.
    const unread = `mkfifo ${pipe}; exec 4<>${pipe}; exec 2>${pipe} 4>&-; rm ${pipe}`;
    const run = `sh "$SHIPLOG_SH" run ${name} web-1 download sh -c 'echo "line 1"; exit 3'`;
    const wrapped = await sh(name, `${unread}; ${run}; echo "code $?"`, { SHIPLOG_URL: NOBODY });
    expect([wrapped.code, wrapped.stdout]).toEqual([0, 'line 1\ncode 3\n']);
    const link = await startLink(server.url, ({ count }) => (count === 1 ? 'a page' : null));
    const open = `. "$SHIPLOG_SH"; shiplog_open; shiplog_step ${name} web-1 download`;
    const body = `shiplog_line 'line 2'; shiplog_flush 20; shiplog_close 1; echo "went on"`;
    const program = `${unread}; set -eu; ${open}; ${body}`;
    const { code, stdout } = await sh(name, program, { SHIPLOG_URL: link.url });
    expect([code, stdout]).toEqual([0, 'went on\n']);
    const found = await ended(name);
    expect([linesOf(found).sort(), found.run?.step?.exitCode]).toEqual([[1, 2], 3]);
    link.stop();
  });

  it('reports the end of a step during which the clock was set back', async () => {
    const { code, stderr } = await script(
      'clock',
      `shiplog_running 'a command'
       now=$(date +%s); date() { echo $((now - 3600)); }
       shiplog_succeeded
       unset -f date; shiplog_close 20`,
    );
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('not taken');
    expect((await ended('clock')).events.map(({ status }) => status)).toContain('SUCCEEDED');
  });

  it.each(SHELLS)('cuts texts that are longer than an argument may be in %s', async (shell) => {
    const name = `long-${shell}`;
    const { code, stderr } = await script(
      name,
      `long=$(head -c 300000 /dev/zero | tr '\\0' x)
       shiplog_running "$long"
       shiplog_line "$long"
       shiplog_failed 1 "$long"
       shiplog_finish_task ${name} FAILED "$long"
       shiplog_close 20`,
      {},
      shell,
    );
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('not taken');
    const found = await ended(name);
    const cut = `${'x'.repeat(16_000)}... [shiplog: 284000 bytes were cut]`;
    // Of an error the state of a step shows 8 KiB.
    expect(found.run?.step?.error?.message.startsWith('x'.repeat(8_000))).toBe(true);
    const isCut = messagesOf(found)
      .filter(Boolean)
      .map((message) => message === cut);
    expect([found.status, isCut]).toEqual(['FAILED', [true, true]]);
  });

  it('lets a pipe into shiplog_lines run to its end when the disk of the spool is full', async () => {
    const { code, stdout, stderr } = await script(
      'full-pipe',
      `{ seq 1 30000 && echo whole >&2; } | { ${FULL_AT_4_KIB} shiplog_lines; }
       shiplog_succeeded; shiplog_close 20; echo "went on"`,
    );
    expect([code, stdout], stderr).toEqual([0, 'went on\n']);
    expect(stderr).toContain('whole\n');
    expect(stderr).not.toContain('not taken');
    expect(stderr).toMatch(/\d+ lines of STDOUT could not be written/);
  });

  it('runs the command when there is no place for a spool at all', async () => {
    const file = spoolOf('no-directory');
    await writeFile(file, '');
    const run = 'exec sh "$SHIPLOG_SH" run no-place web-1 download sh -c "echo fine; exit 5"';
    const { code, stdout, stderr } = await sh('no-directory', run, { TMPDIR: file });
    expect([code, stdout]).toEqual([5, 'fine\n']);
    expect(stderr).toContain('nothing is reported');
    // With a temporary directory it is reported from there.
    expect((await sh('no-directory', run)).code).toBe(5);
    expect((await ended('no-place')).run?.step?.exitCode).toBe(5);
  });

  it('lets a script run to its end when there is no place for a spool at all, and says so once', async () => {
    const file = spoolOf('no-directory-either');
    await writeFile(file, '');
    const { code, stdout, stderr } = await script(
      'no-directory-either',
      `shiplog_start_task shop
       shiplog_running 'a command'
       { seq 1 30000 && echo whole >&2; } | shiplog_lines
       shiplog_line 'line 1'; shiplog_progress 1 2; shiplog_failed 3 why; shiplog_cancelled; shiplog_flush 9
       shiplog_run shop web-1 download sh -c 'echo fine; exit 5' || echo "code $?"
       shiplog_finish_task shop; shiplog_close; echo "went on"`,
      { TMPDIR: file },
    );
    expect([code, stdout], stderr).toEqual([0, 'fine\ncode 5\nwent on\n']);
    expect(stderr).toContain('whole\n');
    expect(stderr.match(/nothing is reported/g)?.length, stderr).toBe(1);
  });

  it(
    'delivers what several scripts left that were killed one after the other',
    async () => {
      const env = { SHIPLOG_SPOOL: spoolOf('killed') };
      for (const from of [1, 11, 21, 31]) {
        const agent = startAgent('sh', { ...env, SHIPLOG_URL: NOBODY });
        await agent.call('step', 'killed', 'web-1', 'download');
        await agent.call('lines', from, from + 9);
        await agent.kill();
      }
      const last = startAgent('sh', { ...env, SHIPLOG_URL: server.url });
      await last.call('close', 20);
      await last.end();
      const found = await taskOnce(server, 'killed', 'web-1', (task) => linesOf(task).length >= 40);
      expect(linesOf(found).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 40 }, (_, i) => i + 1),
      );
      expect(await readdir(env.SHIPLOG_SPOOL)).toEqual([]);
    },
    LONG_MS,
  );

  it('loses no event beside one that could be written only in part', async () => {
    const { code, stderr } = await script(
      'torn',
      `shiplog_line before
       trap "" XFSZ; ulimit -S -f 2
       shiplog_line "$(head -c 4000 /dev/zero | tr '\\0' x)"
       ulimit -S -f unlimited
       shiplog_line after
       shiplog_line 'after that'
       shiplog_succeeded; shiplog_close 20`,
    );
    expect(code, stderr).toBe(0);
    expect(messagesOf(await ended('torn')).filter((message) => message !== '')).toEqual([
      'before',
      'after',
      'after that',
    ]);
    expect(stderr).toContain('1 events could not be written');
  });

  it('goes on when what it knows of deliveries is damaged', async () => {
    const damage =
      'for f in "$SHIPLOG_SPOOL"/*/*.o.*.ndjson; do [ ! -e "$f" ] || : >"$f.sent"; done';
    const { code, stdout, stderr } = await script(
      'damaged',
      `for n in 1 2 3 4 5 6 7 8 9 10 11 12; do ${damage}; shiplog_line "line $n"; done
       ${damage}; shiplog_flush 0 || echo waits
       ${damage}; shiplog_close 0; echo "went on"`,
      { SHIPLOG_URL: NOBODY, SHIPLOG_SPOOL_BYTES: '800' },
    );
    expect([code, stdout], stderr).toEqual([0, 'waits\nwent on\n']);
  });

  it(
    'takes no 200 for a delivery that is not from Shiplog',
    async () => {
      const link = await startLink(server.url, ({ count }) =>
        count === 1 ? '{"status":"maintenance"}' : count === 2 ? '<html>Log in</html>' : null,
      );
      const { code, stderr } = await script(
        'portal',
        `shiplog_start_task portal shop 1.4.2
         shiplog_line 'line 1'
         shiplog_succeeded; shiplog_close 20`,
        { SHIPLOG_URL: link.url },
      );
      link.stop();
      expect(code).toBe(0);
      expect(stderr).toContain('200, but not from Shiplog');
      expect(stderr).not.toContain('not delivered');
      const found = await ended('portal');
      expect([found.service, linesOf(found), found.run?.step?.status]).toEqual([
        'shop',
        [1],
        'SUCCEEDED',
      ]);
    },
    LONG_MS,
  );

  it.each([400, 415])('keeps what a proxy answers %d to, and sends it again', async (status) => {
    const page = '<html><center>No required SSL certificate was sent</center></html>';
    const stub = await startStubServer((got, earlier) =>
      earlier.some(({ path }) => path === got.path) ? stored(got) : { status, body: page },
    );
    const { code, stdout, stderr } = await script(
      `proxy-${status}`,
      `shiplog_start_task proxy; shiplog_flush 20; shiplog_line 'line 1'; shiplog_succeeded
       shiplog_flush 20 && echo delivered; shiplog_close`,
      { SHIPLOG_URL: stub.url },
    );
    stub.stop();
    expect([code, stdout], stderr).toEqual([0, 'delivered\n']);
    expect(stderr).toContain(`${status}, but not from Shiplog`);
    const [start, again, ...events] = stub.got;
    expect(again).toEqual(start);
    expect(new Set(events.flatMap(({ lines }) => lines)).size).toBe(2);
    expect(events.flatMap(({ lines }) => lines).length).toBeGreaterThan(2);
  });

  it('drops what the server refuses for good, says so, and goes on', async () => {
    const { code, stderr } = await script(
      'refused',
      `shiplog_start_task "$(head -c 300 /dev/zero | tr '\\0' x)"
       shiplog_finish_task refused NEVER
       shiplog_succeeded; shiplog_flush 10; shiplog_close 1`,
    );
    expect(code, stderr).toBe(0);
    expect(stderr.match(/an event was dropped: 400|not taken/g)?.length, stderr).toBe(2);
    expect(stderr).not.toContain('not delivered');
  });

  it('takes over what a script left whose process number somebody else has now, and nothing of the living', async () => {
    const env = { SHIPLOG_SPOOL: spoolOf('numbers'), SHIPLOG_URL: NOBODY };
    const [killed, living] = [startAgent('sh', env), startAgent('sh', env)];
    for (const [agent, line] of [[killed, 1] as const, [living, 2] as const]) {
      await agent.call('step', 'numbers', 'web-1', 'download');
      await agent.call('lines', line, line);
    }
    await killed.kill();
    for (const name of await readdir(env.SHIPLOG_SPOOL)) {
      for (const file of ['pid', 'sender'].map((of) => join(env.SHIPLOG_SPOOL, name, of))) {
        const [pid, ...identity] = (await readFile(file, 'utf8')).trimEnd().split(' ');
        if (isAlive(Number(pid))) continue;
        await writeFile(file, `${[process.pid, ...identity].join(' ')}\n`);
      }
    }
    expect((await script('numbers', 'shiplog_close 20')).code).toBe(0);
    const found = await taskOnce(server, 'numbers', 'web-1', (task) => linesOf(task).length > 0);
    expect(linesOf(found)).toEqual([1]);
    expect((await readdir(env.SHIPLOG_SPOOL)).length).toBe(1);
    await living.kill();
  });

  it('bounds in bytes what single lines leave in the spool', async () => {
    const { code } = await script(
      'bounded',
      `long=$(head -c 15000 /dev/zero | tr '\\0' x)
       for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do shiplog_line "$long"; done
       shiplog_close 0`,
      { SHIPLOG_URL: NOBODY, SHIPLOG_SPOOL_BYTES: '80000' },
    );
    expect(code).toBe(0);
    let bytes = 0;
    for (const name of await readdir(spoolOf('bounded'), { recursive: true })) {
      if (name.endsWith('.ndjson')) bytes += (await stat(join(spoolOf('bounded'), name))).size;
    }
    // Each of the eight pieces holds one line more than its share.
    expect(bytes).toBeLessThan(80_000 + 8 * 16_000);
    expect(bytes).toBeGreaterThan(80_000);
  });

  // Opened a second time: the sender has the settings of its beginning.
  it(
    'gets through a slow link in smaller and smaller requests',
    async () => {
      const sizes: number[] = [];
      const link = await startLink(server.url, ({ body }) => {
        sizes.push(body.length);
        return body.length > 300_000 ? 'never' : null;
      });
      const { code, stderr } = await script(
        'slow',
        `_shiplog_call_seconds=1; shiplog_close 1; shiplog_open; shiplog_step slow web-1 download
         long=$(head -c 15000 /dev/zero | tr '\\0' x)
         seq 1 100 | sed "s/\\$/ $long/" | shiplog_lines
         shiplog_succeeded
         shiplog_flush 60 && echo delivered
         shiplog_close 1`,
        { SHIPLOG_URL: link.url },
      );
      link.stop();
      expect(code, stderr).toBe(0);
      // Nothing of the programs that it calls.
      expect(stderr.replaceAll(/^shiplog: .*\n/gm, '')).toBe('');
      const found = await taskOnce(server, 'slow', 'web-1', ({ events }) => events.length >= 101);
      expect(found.events.length).toBe(101);
      expect(Math.max(...sizes)).toBeGreaterThan(300_000);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(512 * 1024);
    },
    LONG_MS,
  );
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

interface Asked {
  /** Which request of this path it is, from 1. */
  count: number;
  body: string;
}

/** A way to the server on which another answers with a 200 now and then; `never`: nobody does. */
async function startLink(target: string, answerOf: (asked: Asked) => string | null) {
  const counts = new Map<string, number>();
  const link = createServer(async (incoming, response) => {
    const path = incoming.url ?? '';
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    // Who has given up meanwhile needs no answer.
    const body = await text(incoming).catch(() => null);
    if (body === null) return;
    const foreign = answerOf({ count, body });
    if (foreign === 'never') return;
    if (foreign !== null) {
      response.end(foreign);
      return;
    }
    const headers = { 'content-type': incoming.headers['content-type'] ?? '' };
    const answer = await fetch(`${target}${path}`, { method: 'POST', headers, body });
    response.writeHead(answer.status).end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(link, 'listening');
  return {
    url: `http://127.0.0.1:${(link.address() as AddressInfo).port}`,
    stop() {
      link.closeAllConnections();
      link.close();
    },
  };
}
