/** shiplog.sh and its spool: full, damaged, nowhere, or left behind by a script that was killed. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LANGUAGES, startAgent } from './agent.ts';
import { LONG_MS, messagesOf, NOBODY, useScripts } from './sh-scripts.ts';
import { linesOf, taskOnce } from './stored.ts';

/** What is written beyond so many blocks of 512 bytes fails as on a full disk, and kills nobody. */
const FULL_AT_4_KIB = 'trap "" XFSZ; ulimit -S -f 8;';

describe.runIf(LANGUAGES.includes('sh'))('the spool of shiplog.sh', () => {
  const scripts = useScripts();

  it(
    'passes all output and the exit code on when the disk of the spool is full, and says how much is not reported',
    async () => {
      const lines = 30_000;
      const run = `exec sh "$SHIPLOG_SH" run full web-1 download sh -c 'seq -f "line %.0f" ${lines}; exit 7'`;
      const { code, stdout, stderr } = await scripts.sh('full', `${FULL_AT_4_KIB} ${run}`);
      expect([code, stdout.split('\n').length]).toEqual([7, lines + 1]);
      const said = [...stderr.matchAll(/(\d+) lines of STDOUT could not be written/g)];
      expect(said.length, stderr).toBe(1);
      expect(stderr).not.toContain('not taken');
      const found = await taskOnce(scripts.server, 'full', 'web-1', ({ run: of }) =>
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

  it('lets a pipe into shiplog_lines run to its end when the disk of the spool is full', async () => {
    const { code, stdout, stderr } = await scripts.script(
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
    const file = scripts.spoolOf('no-directory');
    await writeFile(file, '');
    const run = 'exec sh "$SHIPLOG_SH" run no-place web-1 download sh -c "echo fine; exit 5"';
    const { code, stdout, stderr } = await scripts.sh('no-directory', run, { TMPDIR: file });
    expect([code, stdout]).toEqual([5, 'fine\n']);
    expect(stderr).toContain('nothing is reported');
    // With a temporary directory it is reported from there.
    expect((await scripts.sh('no-directory', run)).code).toBe(5);
    expect((await scripts.ended('no-place')).run?.step?.exitCode).toBe(5);
  });

  it('lets a script run to its end when there is no place for a spool at all, and says so once', async () => {
    const file = scripts.spoolOf('no-directory-either');
    await writeFile(file, '');
    const { code, stdout, stderr } = await scripts.script(
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
      const env = { SHIPLOG_SPOOL: scripts.spoolOf('killed') };
      for (const from of [1, 11, 21, 31]) {
        const agent = startAgent('sh', { ...env, SHIPLOG_URL: NOBODY });
        await agent.call('step', 'killed', 'web-1', 'download');
        await agent.call('lines', from, from + 9);
        await agent.kill();
      }
      const last = startAgent('sh', { ...env, SHIPLOG_URL: scripts.server.url });
      await last.call('close', 20);
      await last.end();
      const found = await taskOnce(
        scripts.server,
        'killed',
        'web-1',
        (task) => linesOf(task).length >= 40,
      );
      expect(linesOf(found).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 40 }, (_, i) => i + 1),
      );
      expect(await readdir(env.SHIPLOG_SPOOL)).toEqual([]);
    },
    LONG_MS,
  );

  it('loses no event beside one that could be written only in part', async () => {
    const { code, stderr } = await scripts.script(
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
    expect(messagesOf(await scripts.ended('torn')).filter((message) => message !== '')).toEqual([
      'before',
      'after',
      'after that',
    ]);
    expect(stderr).toContain('1 events could not be written');
  });

  it('goes on when what it knows of deliveries is damaged', async () => {
    const damage =
      'for f in "$SHIPLOG_SPOOL"/*/*.o.*.ndjson; do [ ! -e "$f" ] || : >"$f.sent"; done';
    const { code, stdout, stderr } = await scripts.script(
      'damaged',
      `for n in 1 2 3 4 5 6 7 8 9 10 11 12; do ${damage}; shiplog_line "line $n"; done
       ${damage}; shiplog_flush 0 || echo waits
       ${damage}; shiplog_close 0; echo "went on"`,
      { SHIPLOG_URL: NOBODY, SHIPLOG_SPOOL_BYTES: '800' },
    );
    expect([code, stdout], stderr).toEqual([0, 'waits\nwent on\n']);
  });

  it('takes over what a script left whose process number somebody else has now, and nothing of the living', async () => {
    const env = { SHIPLOG_SPOOL: scripts.spoolOf('numbers'), SHIPLOG_URL: NOBODY };
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
    expect((await scripts.script('numbers', 'shiplog_close 20')).code).toBe(0);
    const found = await taskOnce(
      scripts.server,
      'numbers',
      'web-1',
      (task) => linesOf(task).length > 0,
    );
    expect(linesOf(found)).toEqual([1]);
    expect((await readdir(env.SHIPLOG_SPOOL)).length).toBe(1);
    await living.kill();
  });

  it('bounds in bytes what single lines leave in the spool', async () => {
    const { code } = await scripts.script(
      'bounded',
      `long=$(head -c 15000 /dev/zero | tr '\\0' x)
       for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do shiplog_line "$long"; done
       shiplog_close 0`,
      { SHIPLOG_URL: NOBODY, SHIPLOG_SPOOL_BYTES: '80000' },
    );
    expect(code).toBe(0);
    let bytes = 0;
    for (const name of await readdir(scripts.spoolOf('bounded'), { recursive: true })) {
      if (name.endsWith('.ndjson'))
        bytes += (await stat(join(scripts.spoolOf('bounded'), name))).size;
    }
    // Each of the eight pieces holds one line more than its share.
    expect(bytes).toBeLessThan(80_000 + 8 * 16_000);
    expect(bytes).toBeGreaterThan(80_000);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
