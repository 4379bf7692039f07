import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from '../../src/cli/client.ts';
import { TaskBoardDocument } from '../../src/cli/gen/graphql.ts';
import { NODE, runCli, startCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

const DEPLOY = fileURLToPath(new URL('../../examples/rolling-deploy/deploy.ts', import.meta.url));

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

async function leftovers(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('shiplog-rolling-'));
}

it('a real rolling deployment is in the log, and one query says which host failed and why', async () => {
  const before = await leftovers();
  const { code, stdout, stderr } = await runCli(['--task', 'release-1', '--hosts', '3'], {
    command: [NODE, DEPLOY],
    env: { SHIPLOG_URL: server.url },
  });
  expect(stderr).not.toContain('could not be delivered');
  expect(code).toBe(0);
  expect(stdout).toContain('host-1: succeeded');
  expect(stdout).toContain('host-3: failed in unpack');
  expect(stdout).toContain('checksum mismatch: the download of 1.1.0 is corrupt');

  const client = new Client({ url: server.url, token: null });
  const { task } = await client.query(TaskBoardDocument, { id: 'release-1', lines: 10 });
  expect(task).toMatchObject({
    status: 'PARTIAL',
    service: 'orders',
    version: '1.1.0',
    runCounts: { total: 3, succeeded: 2, failed: 1 },
    matrix: { hosts: ['host-1', 'host-2', 'host-3'], cells: 'SSSSSSSSSSSSSSSSFNNNN' },
  });
  const [failure] = task?.failureGroups ?? [];
  expect(failure).toMatchObject({
    hostCount: 1,
    hosts: ['host-3'],
    steps: ['unpack'],
    sample: { exitCode: 1 },
  });
  expect(failure?.sample.error?.message).toContain('checksum mismatch');
  expect(failure?.sample.lastLines.map((line) => line.message)).toContainEqual(
    expect.stringMatching(/^expected [0-9a-f]{64}$/),
  );
  expect(await leftovers()).toEqual(before);
}, 120_000);

it('an interrupted rollout ends as cancelled, by 130, and leaves nothing behind', async () => {
  const before = await leftovers();
  const rollout = startCli(['--task', 'interrupted', '--hosts', '3'], {
    command: [NODE, DEPLOY],
    env: { SHIPLOG_URL: server.url },
  });
  await rollout.until((stdout) => stdout.includes('deploying to host-1'));
  rollout.child.kill('SIGINT');
  expect((await rollout.ended).code).toBe(130);
  const client = new Client({ url: server.url, token: null });
  const { task } = await client.query(TaskBoardDocument, { id: 'interrupted', lines: 1 });
  expect(task?.status).toBe('CANCELLED');
  expect(await leftovers()).toEqual(before);
}, 120_000);

it('a rollout with options that make no sense says so, and begins nothing', async () => {
  const deploy = (...args: string[]) =>
    runCli(args, { command: [NODE, DEPLOY], env: { SHIPLOG_URL: server.url } });
  expect(await deploy('--hosts', 'many')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: '--hosts: "many" must be a whole number from 1 to 99\n',
  });
  const unknown = await deploy('--bogus');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toMatch(/^Unknown option '--bogus'/);
}, 60_000);
