/**
 * npm hands a signal to the shell that it started us with, and that shell ends without handing it
 * on. A supervisor that stops `npm start` must not leave a server behind that holds the port.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';

it('a server that npm started ends, in order, when npm is told to', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shiplog-npm-'));
  const npm = spawn('npm', ['start'], {
    env: { ...process.env, SHIPLOG_PORT: '0', SHIPLOG_DATA_DIR: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let url = '';
  for await (const line of createInterface({ input: npm.stdout })) {
    url = /"url":"([^"]+)"/.exec(line)?.[1] ?? '';
    if (url !== '') break;
  }
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  npm.kill('SIGTERM');
  await once(npm, 'exit');
  await expect
    .poll(
      () =>
        fetch(`${url}/livez`).then(
          () => 'answers',
          () => 'gone',
        ),
      { timeout: 15_000 },
    )
    .toBe('gone');
  await rm(directory, { recursive: true, force: true });
}, 40_000);
