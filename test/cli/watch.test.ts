import { expect, it } from 'vitest';
import { runCli, startCli } from '../support/cli.ts';
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
