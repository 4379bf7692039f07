import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { buildGo, CLIENTS, LANGUAGES } from './agent.ts';
import { lineOf, testFaults } from './faults.ts';
import { storedTask } from './stored.ts';

const TOO_LONG = 9 * 1024 * 1024;

describe.runIf(LANGUAGES.includes('go'))('shiplog.go', () => {
  const { server, directory, agentOf, leave, deliverRest, linesStored } = testFaults('go');

  it('delivers what stands behind a line that is too long, and names that one', async () => {
    const long = lineOf('long', 2, 'x'.repeat(TOO_LONG));
    await leave('long', [lineOf('long', 1), long, lineOf('long', 3), '']);
    const said = await deliverRest('long');
    expect(await linesStored('long')).toEqual([1, 3]);
    expect(said).toMatch(/line 2 of .*left.ndjson was left out: it has \d{7} bytes/);
  });

  it('ends a step that starts a daemon as the example in its documentation does: soon, as a success', async () => {
    const readme = await readFile(join(CLIENTS, 'go', 'README.md'), 'utf8');
    const [, example = ''] = /```go\n(.*?)```/s.exec(readme) ?? [];
    const replaced = [
      ['https://shiplog.example.org', server().url],
      ['/var/spool/agent', join(directory(), 'example')],
      [
        '"curl", "-fO", "https://example.org/shop.tar.gz"',
        '"sh", "-c", "sleep 60 & echo $! >$SLEEPER"',
      ],
      ['WaitDelay = 2 * time.Second', 'WaitDelay = 50 * time.Millisecond'],
    ].reduce((text, [from = '', to = '']) => {
      expect(text).toContain(from);
      return text.replace(from, () => to);
    }, example);
    const module = join(directory(), 'module');
    await mkdir(module);
    const main = `package main
import ("errors"; "log"; "os/exec"; "time"; "shiplog")
func main() {${replaced}}`;
    await writeFile(join(module, 'main.go'), main);
    const required = 'require shiplog v0.0.0\nreplace shiplog =>';
    const mod = `module example\n\ngo 1.21\n\n${required} ${join(CLIENTS, 'go')}\n`;
    await writeFile(join(module, 'go.mod'), mod);
    buildGo(module, join(module, 'example'));
    const sleeper = join(module, 'sleeper');
    const { code, stderr } = await runCli([], {
      command: [join(module, 'example')],
      env: { SLEEPER: sleeper },
    });
    process.kill(Number(await readFile(sleeper, 'utf8')));
    expect(code, stderr).toBe(0);
    const found = await storedTask(server(), '2026-11-24-shop', 'web-1');
    expect(found?.run?.step).toMatchObject({ status: 'SUCCEEDED', exitCode: 0 });
  });

  it('cuts what is written to it without an end of line into lines of whole characters', async () => {
    const agent = agentOf('runes', server().url);
    await agent.call('step', 'runes', 'web-1', 'download');
    await agent.call('write', '日', 30_000);
    expect((await agent.call('close', 20)).result, agent.stderr()).toBe('0');
    const found = await storedTask(server(), 'runes', 'web-1');
    const messages = found?.events.map(({ message }) => message ?? '') ?? [];
    expect(messages).toHaveLength(2);
    expect(messages.join('')).toBe('日'.repeat(30_000));
  });

  it('leaves it to the server to refuse a line that is over a MiB', async () => {
    const big = { ...JSON.parse(lineOf('big', 1)), params: { much: 'x'.repeat(1_500_000) } };
    await leave('big', [JSON.stringify(big), lineOf('big', 2), '']);
    expect(await deliverRest('big')).toMatch(/an event was rejected: TOO_LONG/);
    expect(await linesStored('big')).toEqual([2]);
  });
});
