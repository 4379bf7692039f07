import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MAIN, NODE, runCli, startCli } from '../support/cli.ts';
import { startServer } from '../support/server.ts';

it('a watch that was opened before its task waits for it, and ends with it', async () => {
  const server = await startServer();
  try {
    const env = { SHIPLOG_URL: server.url };
    const watch = startCli(['task', 'later', '--watch'], { env });
    await watch.until((_, stderr) => stderr.includes('task later has not begun'));
    await runCli(['start', 'later', '--hosts', 'a'], { env });
    await runCli(['finish', 'later', '--status', 'CANCELLED'], { env });
    const { code, stdout } = await watch.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^later +CANCELLED/);
  } finally {
    await server.stop();
  }
});

const HAS_SCRIPT = spawnSync('script', ['--version']).status === 0;

it.runIf(HAS_SCRIPT)(
  'a board on a terminal says as long as it lasts that it is not followed, and is right afterwards',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-watch-'));
    const server = await startServer({ dataDir });
    const env = { SHIPLOG_URL: server.url };
    await runCli(['start', 'cut', '--hosts', 'a'], { env });
    const watch = startCli([], {
      env,
      command: ['script', '-qfec', `${NODE} ${MAIN} task cut --watch --no-color`, '/dev/null'],
    });
    await watch.until((stdout) => stdout.includes('cut  PENDING'));
    await server.kill();
    const drawings = () => watch.stdout().split('\x1b[0J');
    await watch.until(() =>
      /\ncut[\s\S]*disconnected (?![01] s)[^,]+, board of \d\d:\d\d:\d\d, trying again/.test(
        `\n${drawings().at(-1)}`,
      ),
    );
    const first = drawings().findIndex((drawing) => drawing.includes('✖ disconnected'));
    for (const drawing of drawings().slice(first, -1)) expect(drawing).toContain('✖ disconnected');
    const back = await startServer({ dataDir, port: server.port });
    await watch.until(() => !(drawings().at(-1) ?? '').includes('disconnected'));
    await runCli(['finish', 'cut', '--status', 'CANCELLED'], { env });
    const { code, stdout } = await watch.ended;
    expect(code).toBe(0);
    expect(stdout.split('\x1b[0J').at(-1)).toMatch(/cut.*CANCELLED/);
    await back.stop();
    await rm(dataDir, { recursive: true, force: true });
  },
);
