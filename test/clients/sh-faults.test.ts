/** shiplog.sh where something goes wrong around it: no deployment is changed, and no event gone in silence. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { startCli } from '../support/cli.ts';
import { LANGUAGES } from './agent.ts';
import { LONG_MS, messagesOf, NOBODY, SCRIPT, SHELLS, useScripts } from './sh-scripts.ts';
import { linesOf, taskOnce } from './stored.ts';
import { startStubServer, stored } from './stub-server.ts';

describe.runIf(LANGUAGES.includes('sh'))('shiplog.sh', () => {
  const scripts = useScripts();

  it('tells the last line of stderr as the reason, though it was delivered before it was asked for', async () => {
    const lines = '"$SHIPLOG_SPOOL"/*/*.e.STDERR.*.ndjson >/dev/null 2>&1';
    // Its stdout stays open until all of stderr is delivered.
    const command = `echo "no space left" >&2
      until ls ${lines}; do sleep 0.1; done
      while ls ${lines}; do sleep 0.1; done 2>&- &
      exit 3`;
    const run = `exec sh "$SHIPLOG_SH" run reason web-1 download sh -c '${command}'`;
    expect((await scripts.sh('reason', run)).code).toBe(3);
    expect((await scripts.script('reason', 'shiplog_close 20')).code).toBe(0);
    expect((await scripts.ended('reason')).run?.step).toMatchObject({
      status: 'FAILED',
      error: { message: 'no space left' },
    });
  });

  it.each(SHELLS)(
    'reports how a command ended when a signal comes to all of its group in %s',
    async (shell) => {
      const name = `group-${shell}`;
      const running = startCli(
        [SCRIPT, 'run', name, 'web-1', 'download', 'sh', '-c', 'echo up; exec sleep 300'],
        {
          command: [shell],
          env: { SHIPLOG_URL: scripts.server.url },
          detached: true,
        },
      );
      await running.until((stdout) => stdout.includes('up'));
      process.kill(-(running.child.pid as number), 'SIGTERM');
      expect((await running.ended).code).toBe(143);
      const found = await scripts.ended(name);
      expect([found.run?.step, messagesOf(found)]).toMatchObject([
        { status: 'FAILED', exitCode: 143 },
        expect.arrayContaining(['up']),
      ]);
    },
  );

  it.each([
    ['an end of line', ['a'.repeat(1_500), '', '', 'b', ''], '\n'],
    ['none', [...Array<string>(4).fill('x'.repeat(1_500)), 'y'.repeat(1_000)], ''],
  ])(
    'reports each line of an output once, empty ones too, where it ends with %s',
    async (end, lines, last) => {
      const name = `ends-${last.length}`;
      const env = { PRINTED: `${lines.join('\n')}${last}` };
      const body = `printf %s "$PRINTED" | shiplog_lines; shiplog_succeeded; shiplog_close 20`;
      expect(await scripts.script(name, body, env), end).toMatchObject({ code: 0, stderr: '' });
      const { events } = await taskOnce(
        scripts.server,
        name,
        'web-1',
        (task) => task.events.length > lines.length,
      );
      const printed = events.filter(({ status }) => status === null);
      expect(printed.map(({ message }) => message)).toEqual(lines);
    },
  );

  it('waits no longer than it should where the clock is set back meanwhile', async () => {
    const jumped = scripts.spoolOf('jumped');
    const { code, stdout, stderr } = await scripts.script(
      'jump',
      `shiplog_line 'line 1'
       date() { if [ -e ${jumped} ]; then echo $(($(command date +%s) - 3600)); else : >${jumped}; command date +%s; fi; }
       shiplog_flush 1 || echo 'not yet'; shiplog_close 0`,
      { SHIPLOG_URL: NOBODY },
    );
    expect([code, stdout], stderr).toEqual([0, 'not yet\n']);
  });

  it('ends as the command does and reports all when nobody reads its stderr any more', async () => {
    const name = 'unread';
    const pipe = `${scripts.spoolOf(name)}.pipe`;
    // Its only reader is gone.
    const unread = `mkfifo ${pipe}; exec 4<>${pipe}; exec 2>${pipe} 4>&-; rm ${pipe}`;
    const run = `sh "$SHIPLOG_SH" run ${name} web-1 download sh -c 'echo "line 1"; exit 3'`;
    const wrapped = await scripts.sh(name, `${unread}; ${run}; echo "code $?"`, {
      SHIPLOG_URL: NOBODY,
    });
    expect([wrapped.code, wrapped.stdout]).toEqual([0, 'line 1\ncode 3\n']);
    const link = await startLink(scripts.server.url, ({ count }) =>
      count === 1 ? 'a page' : null,
    );
    const open = `. "$SHIPLOG_SH"; shiplog_open; shiplog_step ${name} web-1 download`;
    const body = `shiplog_line 'line 2'; shiplog_flush 20; shiplog_close 1; echo "went on"`;
    const program = `${unread}; set -eu; ${open}; ${body}`;
    const { code, stdout } = await scripts.sh(name, program, { SHIPLOG_URL: link.url });
    expect([code, stdout]).toEqual([0, 'went on\n']);
    const found = await scripts.ended(name);
    expect([linesOf(found).sort(), found.run?.step?.exitCode]).toEqual([[1, 2], 3]);
    link.stop();
  });

  it('reports the end of a step during which the clock was set back', async () => {
    const { code, stderr } = await scripts.script(
      'clock',
      `shiplog_running 'a command'
       now=$(date +%s); date() { echo $((now - 3600)); }
       shiplog_succeeded
       unset -f date; shiplog_close 20`,
    );
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('not taken');
    expect((await scripts.ended('clock')).events.map(({ status }) => status)).toContain(
      'SUCCEEDED',
    );
  });

  it.each(SHELLS)('cuts texts that are longer than an argument may be in %s', async (shell) => {
    const name = `long-${shell}`;
    const { code, stderr } = await scripts.script(
      name,
      `long=$(head -c 300000 /dev/zero | tr '\\0' x)
       shiplog_running "$long"
       shiplog_line "$long"
       shiplog_failed 1 "$long"
       shiplog_finish_task ${name} FAILED "$long"
       shiplog_close 20`,
      {},
      shell,
    );
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('not taken');
    const found = await scripts.ended(name);
    const cut = `${'x'.repeat(16_000)}... [shiplog: 284000 bytes were cut]`;
    // Of an error the state of a step shows 8 KiB.
    expect(found.run?.step?.error?.message.startsWith('x'.repeat(8_000))).toBe(true);
    const isCut = messagesOf(found)
      .filter(Boolean)
      .map((message) => message === cut);
    expect([found.status, isCut]).toEqual(['FAILED', [true, true]]);
  });

  it(
    'takes no 200 for a delivery that is not from Shiplog',
    async () => {
      const link = await startLink(scripts.server.url, ({ count }) =>
        count === 1 ? '{"status":"maintenance"}' : count === 2 ? '<html>Log in</html>' : null,
      );
      const { code, stderr } = await scripts.script(
        'portal',
        `shiplog_start_task portal shop 1.4.2
         shiplog_line 'line 1'
         shiplog_succeeded; shiplog_close 20`,
        { SHIPLOG_URL: link.url },
      );
      link.stop();
      expect(code).toBe(0);
      expect(stderr).toContain('200, but not from Shiplog');
      expect(stderr).not.toContain('not delivered');
      const found = await scripts.ended('portal');
      expect([found.service, linesOf(found), found.run?.step?.status]).toEqual([
        'shop',
        [1],
        'SUCCEEDED',
      ]);
    },
    LONG_MS,
  );

  it.each([400, 415])('keeps what a proxy answers %d to, and sends it again', async (status) => {
    const page = '<html><center>No required SSL certificate was sent</center></html>';
    const stub = await startStubServer((got, earlier) =>
      earlier.some(({ path }) => path === got.path) ? stored(got) : { status, body: page },
    );
    const { code, stdout, stderr } = await scripts.script(
      `proxy-${status}`,
      `shiplog_start_task proxy; shiplog_flush 20; shiplog_line 'line 1'; shiplog_succeeded
       shiplog_flush 20 && echo delivered; shiplog_close`,
      { SHIPLOG_URL: stub.url },
    );
    stub.stop();
    expect([code, stdout], stderr).toEqual([0, 'delivered\n']);
    expect(stderr).toContain(`${status}, but not from Shiplog`);
    const [start, again, ...events] = stub.got;
    expect(again).toEqual(start);
    expect(new Set(events.flatMap(({ lines }) => lines)).size).toBe(2);
    expect(events.flatMap(({ lines }) => lines).length).toBeGreaterThan(2);
  });

  it('drops what the server refuses for good, says so, and goes on', async () => {
    const { code, stderr } = await scripts.script(
      'refused',
      `shiplog_start_task "$(head -c 300 /dev/zero | tr '\\0' x)"
       shiplog_finish_task refused NEVER
       shiplog_succeeded; shiplog_flush 10; shiplog_close 1`,
    );
    expect(code, stderr).toBe(0);
    expect(stderr.match(/an event was dropped: 400|not taken/g)?.length, stderr).toBe(2);
    expect(stderr).not.toContain('not delivered');
  });

  // Opened a second time: the sender has the settings of its beginning.
  it(
    'gets through a slow link in smaller and smaller requests',
    async () => {
      const sizes: number[] = [];
      const link = await startLink(scripts.server.url, ({ body }) => {
        sizes.push(body.length);
        return body.length > 300_000 ? 'never' : null;
      });
      const { code, stderr } = await scripts.script(
        'slow',
        `_shiplog_call_seconds=1; shiplog_close 1; shiplog_open; shiplog_step slow web-1 download
         long=$(head -c 15000 /dev/zero | tr '\\0' x)
         seq 1 100 | sed "s/\\$/ $long/" | shiplog_lines
         shiplog_succeeded
         shiplog_flush 60 && echo delivered
         shiplog_close 1`,
        { SHIPLOG_URL: link.url },
      );
      link.stop();
      expect(code, stderr).toBe(0);
      // Nothing of the programs that it calls.
      expect(stderr.replaceAll(/^shiplog: .*\n/gm, '')).toBe('');
      const found = await taskOnce(
        scripts.server,
        'slow',
        'web-1',
        ({ events }) => events.length >= 101,
      );
      expect(found.events.length).toBe(101);
      expect(Math.max(...sizes)).toBeGreaterThan(300_000);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(512 * 1024);
    },
    LONG_MS,
  );
});

interface Asked {
  /** Which request of this path it is, from 1. */
  count: number;
  body: string;
}

/** A way to the server on which another answers with a 200 now and then; `never`: nobody does. */
async function startLink(target: string, answerOf: (asked: Asked) => string | null) {
  const counts = new Map<string, number>();
  const link = createServer(async (incoming, response) => {
    const path = incoming.url ?? '';
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    // Who has given up meanwhile needs no answer.
    const body = await text(incoming).catch(() => null);
    if (body === null) return;
    const foreign = answerOf({ count, body });
    if (foreign === 'never') return;
    if (foreign !== null) {
      response.end(foreign);
      return;
    }
    const headers = { 'content-type': incoming.headers['content-type'] ?? '' };
    const answer = await fetch(`${target}${path}`, { method: 'POST', headers, body });
    response.writeHead(answer.status).end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(link, 'listening');
  return {
    url: `http://127.0.0.1:${(link.address() as AddressInfo).port}`,
    stop() {
      link.closeAllConnections();
      link.close();
    },
  };
}
