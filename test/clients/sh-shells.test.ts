/** shiplog.sh in the scripts of others: under each shell and its settings it reports the same, and changes nothing. */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
import { isInstalled, LANGUAGES } from './agent.ts';
import { messagesOf, NOBODY, SCRIPT, SHELLS, useScripts } from './sh-scripts.ts';
import { linesOf, taskOnce } from './stored.ts';

/** With the words that begin a program. */
const MORE_SHELLS = [
  ['bash', '--posix', '-c'],
  ['mksh', '-c'],
  ['zsh', '--emulate', 'sh', '-c'],
  ['busybox', 'ash', '-c'],
].filter(([shell = '']) => isInstalled(shell));

describe.runIf(LANGUAGES.includes('sh'))('shiplog.sh in a script', () => {
  const scripts = useScripts();

  /** A directory with all that busybox has. */
  async function applets(): Promise<string> {
    const found = scripts.spoolOf('busybox');
    await mkdir(found);
    execFileSync('busybox', ['--install', '-s', found]);
    return found;
  }

  it.each(SHELLS)(
    'lets %s wait for what a script runs at the same time, and no longer',
    async (shell) => {
      const name = `wait-${shell}`;
      const { code, stdout, stderr } = await scripts.script(
        name,
        `for host in web-1 web-2; do
         { shiplog_step ${name} "$host" download; shiplog_line 'line 1'; shiplog_succeeded; } &
       done
       wait; echo waited; shiplog_close 20`,
        {},
        shell,
      );
      expect([code, stdout], stderr).toEqual([0, 'waited\n']);
      expect(linesOf(await scripts.ended(name))).toEqual([1, 1]);
      expect(await readdir(scripts.spoolOf(name))).toEqual([]);
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
    const { signal } = await scripts.sh(
      name,
      `${open}; . "$SHIPLOG_SH"; shiplog_open; shiplog_step ${name} web-1 download; ${body}`,
      env,
      shell,
    );
    expect(signal).toBe('SIGKILL');
    await rm(scripts.spoolOf(name), { recursive: true, maxRetries: 3 });
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
      const { code, stdout, stderr } = await scripts.script(
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
      const found = await scripts.ended(name);
      expect([found.service, linesOf(found).sort(), found.run?.step]).toEqual([
        'shop',
        [1, 2, 3, 4],
        { status: 'FAILED', exitCode: 3, error: { message: 'no "space" \\ left' } },
      ]);
      expect(found.events.filter(({ status }) => status === 'RUNNING').length).toBe(2);
      expect(await readdir(scripts.spoolOf(name))).toEqual([]);
    },
  );

  it.each(SETTINGS)(
    'keeps what was not delivered, says how much and delivers it later under $shell with $settings',
    async ({ name, shell, settings }) => {
      const left = `left-${name}`;
      const body = `${settings}; shiplog_line 'line 1'; shiplog_close 0`;
      const { code, stderr } = await scripts.script(left, body, { SHIPLOG_URL: NOBODY }, shell);
      expect([code, stderr]).toEqual([0, expect.stringContaining('1 events were not delivered')]);
      const next = `${settings}; . "$SHIPLOG_SH"; shiplog_open; shiplog_close 20`;
      expect((await scripts.sh(left, next, {}, shell)).code).toBe(0);
      const found = await taskOnce(
        scripts.server,
        left,
        'web-1',
        (task) => linesOf(task).length > 0,
      );
      expect(linesOf(found)).toEqual([1]);
      expect(await readdir(scripts.spoolOf(left))).toEqual([]);
    },
  );

  it.each(MORE_SHELLS)('reports the same under %s %s', async (shell = '', ...words) => {
    const name = `under-${shell}`;
    const coloured = '\u001b[31mred\u001b[0m\ttab "q" \\ ä';
    const env: Record<string, string> = {
      ...{
        SHIPLOG_SH: SCRIPT,
        SHIPLOG_URL: scripts.server.url,
        SHIPLOG_SPOOL: scripts.spoolOf(name),
      },
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
    const found = await scripts.ended(name);
    expect(messagesOf(found).filter(Boolean).sort()).toEqual(
      [coloured, 'line 1', 'no end', 'out', 'task began', 'why'].sort(),
    );
    expect(found.service).toBe('shop');
    // The step of the script is still the one that it was.
    expect(found.run?.step).toMatchObject({ status: 'FAILED', exitCode: 3 });
    expect(await readdir(scripts.spoolOf(name))).toEqual([]);
  });

  it.runIf(isInstalled('zsh'))(
    'says in zsh how it is to be read, and lets the script run',
    async () => {
      const program = `. "$SHIPLOG_SH"; shiplog_open; shiplog_step zsh web-1 download; shiplog_succeeded; echo over`;
      const { code, stdout, stderr } = await scripts.sh('zsh', program, {}, 'zsh');
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
      const sleeper = scripts.spoolOf(`${name}.pid`);
      const program = `set -euC; . "$SHIPLOG_SH"; shiplog_open; shiplog_step ${name} web-1 download
        shiplog_running 'first'; shiplog_running 'second'
        shiplog_run ${name} web-2 start sh -c 'sleep 300 & echo $! >${sleeper}'
        wait; echo waited
        shiplog_succeeded; shiplog_close 20; echo over`;
      const running = startCli(['-c', program], {
        command: [shell],
        env: {
          SHIPLOG_SH: SCRIPT,
          SHIPLOG_URL: scripts.server.url,
          SHIPLOG_SPOOL: scripts.spoolOf(name),
        },
      });
      await running.until((stdout) => stdout.includes('over\n'));
      // Until it ends, the daemon has the output of the script, too.
      process.kill(Number(await readFile(sleeper, 'utf8')));
      const { code, stdout, stderr } = await running.ended;
      expect([code, stdout, stderr]).toEqual([0, 'waited\nover\n', '']);
      expect((await scripts.ended(name)).run?.step?.status).toBe('SUCCEEDED');
    },
  );

  it('shows no token where a script traces what it does', async () => {
    const { code, stderr } = await scripts.script(
      'traced',
      `set -x; shiplog_close; shiplog_open; shiplog_step traced web-1 download
       shiplog_succeeded; shiplog_close 20`,
      { SHIPLOG_TOKEN: 'shp_secret' },
    );
    expect(code).toBe(0);
    expect(stderr).toContain('shiplog_succeeded');
    expect(stderr).not.toContain('shp_secret');
  });
});
