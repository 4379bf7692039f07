import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectionOptions } from '../../src/cli/options.ts';
import { NODE, runCli } from '../support/cli.ts';

const BIN = fileURLToPath(new URL('../../bin/shiplog.js', import.meta.url));

describe('the shiplog command', () => {
  it('runs as the first program of a shell', async () => {
    const { code, stdout } = await runCli(['--version'], { command: [NODE, BIN] });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('tells a wrong command, a wrong option and a missing argument apart from a failure', async () => {
    for (const args of [
      ['nonsense'],
      ['tasks', '--nonsense'],
      ['task'],
      ['tasks', '--limit', 'x'],
    ]) {
      const { code, stderr } = await runCli(args);
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(stderr).toMatch(/^shiplog: /);
    }
  });

  it('says that the server cannot be reached, by which address, and what to do', async () => {
    const { code, stderr } = await runCli(['task', 't', '--url', 'http://127.0.0.1:2']);
    expect(code).toBe(3);
    expect(stderr).toContain('http://127.0.0.1:2');
    expect(stderr).toContain('is it running? shiplog serve starts one');
  });

  it('helps who knows no command yet, as success', async () => {
    const asked = [[], ['help', '--help'], ['version'], ['search', '-h']];
    const ended = await Promise.all(asked.map((args) => runCli(args)));
    expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      asked.map(() => ({ code: 0, stderr: '' })),
    );
    for (const { stdout } of ended) expect(stdout).toMatch(/^(Usage: shiplog|\d+\.\d+\.\d+\n$)/);
  });
});

describe('an address with a password in it', () => {
  const COMMANDS = [['tasks'], ['tail', '--no-retry'], ['send', '/dev/null']];
  it('is a mistake in the settings, and never printed', async () => {
    const addresses = ['http://bob:Hunter2@127.0.0.1:2', 'ftp://bob:Hunter2@h', 'bob:Hunter2@h'];
    const ended = await Promise.all([
      ...COMMANDS.map((args) => runCli(args, { env: { SHIPLOG_URL: addresses[0] as string } })),
      ...addresses.map((url) => runCli(['tasks', '--url', url])),
      runCli(['serve', '--elasticsearch-url', addresses[0] as string]),
      runCli(['tasks', `--ulr=${addresses[0]}`]),
    ]);
    for (const { code, stdout, stderr } of ended) {
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).not.toBe('');
      expect(stderr).not.toContain('Hunter2');
    }
    const doctor = await runCli(['doctor'], {
      env: { SHIPLOG_ELASTICSEARCH_URL: addresses[0] as string },
    });
    expect(doctor.code).toBe(1);
    expect(doctor.stdout + doctor.stderr).not.toContain('Hunter2');
  });
});

describe('an address that is set to nothing', () => {
  it('is not set, and one that is typed so is a mistake', () => {
    vi.stubEnv('SHIPLOG_URL', '');
    try {
      const parsed = (args: string[]) =>
        connectionOptions(new Command()).parse(args, { from: 'user' }).opts<{ url: string }>().url;
      expect(parsed([])).toBe('http://127.0.0.1:4000');
      expect(() => parsed(['--url', ''])).toThrow('must be an address');
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('the shiplog command on a Node that is too old', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'shiplog-bin-'));
    await mkdir(join(root, 'src'));
    await cp(BIN, join(root, 'bin/shiplog.js'));
    await writeFile(
      join(root, 'package.json'),
      JSON.stringify({ type: 'module', engines: { node: '>=999.1.0' } }),
    );
    await writeFile(join(root, 'src/main.ts'), 'console.log("never");');
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  const run = () => runCli(['a', 'b'], { command: [NODE, join(root, 'bin/shiplog.js')] });

  it('says which Node it needs', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('needs Node 999.1.0 or newer');
  });

  it("runs with the project's own Node where there is one, and mirrors how it ended", async () => {
    await mkdir(join(root, 'node_modules/.bin'), { recursive: true });
    const newer = join(root, 'node_modules/.bin/node');
    await writeFile(newer, '#!/bin/sh\nshift\necho "newer: $*"\nexit 7\n', { mode: 0o755 });
    expect(await run()).toMatchObject({ code: 7, stdout: 'newer: a b\n' });
  });

  it("does not call itself for ever where the project's own Node is too old as well", async () => {
    const own = join(root, 'node_modules/.bin/node');
    await rm(own);
    await symlink(NODE, own);
    expect((await run()).stderr).toContain('needs Node 999.1.0 or newer');
  });
});
