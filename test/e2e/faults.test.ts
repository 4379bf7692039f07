/** What an operator gets wrong is said in words, with the name of the setting, before anything runs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let folder: string;
const serve = (env: Record<string, string>) =>
  runCli(['serve'], { env: { SHIPLOG_PORT: '0', SHIPLOG_DATA_DIR: folder, ...env } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shiplog-faults-'));
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('a second server on the same data directory is refused, and the first goes on', async () => {
  const second = await serve({ SHIPLOG_DATA_DIR: server.dataDir });
  expect(second.code).not.toBe(0);
  expect(second.stderr).toContain(server.dataDir);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
});

it('a port in use is named', async () => {
  const second = await serve({ SHIPLOG_PORT: String(server.port) });
  expect(second.code).toBe(2);
  expect(second.stderr).toMatch(/SHIPLOG_PORT: .*in use/);
});

it('a data directory that cannot be one is named', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const refused = await serve({ SHIPLOG_DATA_DIR: join(file, 'data') });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(join(file, 'data'));
  expect(refused.stderr).not.toContain('    at ');
});

it('a place where no directory can be made is refused, and does not keep the server busy', async () => {
  const refused = await serve({ SHIPLOG_DATA_DIR: '/proc/shiplog/data' });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('SHIPLOG_DATA_DIR');
  expect(refused.stderr).toContain('/proc/shiplog/data cannot be written');
});

it('all mistakes of the configuration are said at once, with exit code 2', async () => {
  const refused = await serve({
    SHIPLOG_PORT: 'eighty',
    SHIPLOG_RETENTION_DAYS: '-1',
    SHIPLOG_STOER: 'sqlite',
    SHIPLOG_STORE: 'oracle',
  });
  expect(refused.code).toBe(2);
  for (const name of ['SHIPLOG_PORT', 'SHIPLOG_RETENTION_DAYS', 'SHIPLOG_STOER', 'SHIPLOG_STORE']) {
    expect(refused.stderr).toContain(name);
  }
});

it('an address that is not loopback is refused without tokens', async () => {
  const refused = await serve({ SHIPLOG_HOST: '0.0.0.0' });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/SHIPLOG_TOKENS_FILE|insecure/);
});
