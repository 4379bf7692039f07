/** What a shell makes of our arguments and our output. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/cli/client.ts';
import { type EventRowFragment, LogStepsDocument } from '../../src/cli/gen/graphql.ts';
import { type Ended, MAIN, NODE, runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

const shiplog = (...args: string[]) => runCli(args, { env: { SHIPLOG_URL: server.url } });

function rows<T>({ stdout }: Ended): T[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

function log(taskId: string, ...messages: string[]) {
  const client = new Client({ url: server.url, token: null });
  const inputs = messages.map((message) => ({ taskId, host: 'web-1', step: 'download', message }));
  return client.query(LogStepsDocument, { inputs });
}

describe('a full disk', () => {
  it.runIf(existsSync('/dev/full'))('is said where stdout should go to it', async () => {
    const { code, stderr } = await runCli(['tasks'], {
      env: { SHIPLOG_URL: server.url },
      command: ['sh', '-c', '"$@" > /dev/full', 'sh', NODE, MAIN],
    });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'shiplog: stdout cannot be written: ENOSPC: no space left on device, write\n',
    });
  });
});

describe('a search from a shell', () => {
  it('takes words to leave out where they stand, and still refuses a misspelt option', async () => {
    await log('left-out', 'apple pie', 'apple juice', 'pear juice');
    const found = async (...args: string[]) =>
      rows<EventRowFragment>(await shiplog('search', ...args, '--task', 'left-out', '--json')).map(
        (event) => event.message,
      );
    expect(await found('apple', '-juice')).toEqual(['apple pie']);
    expect(await found('-pie', '-pear')).toEqual(['apple juice']);
    expect(await found('-host:nowhere', '-juice')).toEqual(['apple pie']);
    const misspelt = await shiplog('search', 'apple', '--tsk', 'left-out');
    expect(misspelt).toMatchObject({ code: 2, stdout: '' });
    expect(misspelt.stderr).toContain('--tsk');
  });
});
