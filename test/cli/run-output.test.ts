import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runChild } from '../../src/cli/run/child.ts';
import { MAIN, NODE, runCli, startCli } from '../support/cli.ts';
import { standIn, storeAll } from '../support/stand-in.ts';

const RUN = ['run', '--task', 't', '--host', 'h', '--step', 's'];

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shiplog-output-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('what a command is given', () => {
  it('arrives byte by byte, UTF-8 or not, arguments and variables', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    const print = 'printf "%s|" "$X" "$@"; [ "$SHIPLOG_TASK" = t ] && echo yes';
    const given = `X=$(printf 'v\\377 \\n.') SHIPLOG_TASK=t exec "$@" "$(printf 'a\\300b')" '' "it's" é`;
    const args = ['run', '--url', server.url, '--host', 'h', '--step', 's', '--'];
    const ended = startCli([...args, 'sh', '-c', print, 'sh'], {
      command: ['sh', '-c', given, 'sh', NODE, MAIN],
    });
    const chunks: Buffer[] = [];
    ended.child.stdout?.removeAllListeners('data').setEncoding('latin1');
    ended.child.stdout?.on('data', (text: string) => chunks.push(Buffer.from(text, 'latin1')));
    expect((await ended.ended).code).toBe(0);
    const expected = Buffer.concat([
      Buffer.from([0x76, 0xff, 0x20, 0x0a, 0x2e, 0x7c, 0x61, 0xc0, 0x62]),
      Buffer.from("||it's|é|yes\n"),
    ]);
    expect(Buffer.concat(chunks).toString('latin1')).toBe(expected.toString('latin1'));
  });
});

describe('what a command prints into', () => {
  it('can be opened by name, as in a shell', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    const script = 'echo to stderr > /dev/stderr; echo to stdout > /dev/stdout';
    const own = await mkdtemp(join(directory, 'tmp-'));
    const args = [...RUN, '--url', server.url, '--', 'sh', '-c', script];
    const ended = await runCli(args, { env: { TMPDIR: own } });
    expect(await readdir(own)).toEqual([]);
    expect(ended).toMatchObject({ code: 0, stdout: 'to stdout\n', stderr: 'to stderr\n' });
  });

  it('has nothing of ours in it: --json is refused before anything runs', async () => {
    const { code, stdout } = await runCli([...RUN, '--json', '--', 'echo', 'hi']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('is there as well where no pipes can be made', async () => {
    await using server = await standIn((_request, response, body) => storeAll(response, body));
    const args = [...RUN, '--url', server.url, '--', 'sh', '-c', 'echo out; echo err >&2'];
    const ended = await runCli(args, { env: { TMPDIR: join(directory, 'missing') } });
    expect(ended).toMatchObject({ code: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  it('reaches a slow reader to the last byte, though the command ended long ago', async () => {
    const read: Buffer[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        read.push(chunk);
        setTimeout(done, 700);
      },
    });
    const heard: Buffer[] = [];
    const listener = {
      onStdout: (chunk: Buffer) => heard.push(chunk),
      onStderr: () => {},
      onLeftRunning: () => {},
    };
    const end = await runChild(['seq', '1', '25000'], listener, {
      stdout: slow,
      stderr: new PassThrough(),
    });
    expect(end).toEqual({ kind: 'exit', code: 0 });
    const numbers = Array.from({ length: 25_000 }, (_, index) => `${index + 1}\n`).join('');
    expect(Buffer.concat(read).toString()).toBe(numbers);
    expect(Buffer.concat(heard).toString()).toBe(numbers);
  });
});
