/** The example of a whole release system, small: what its users and its operators see. */
import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findNginx } from '../../examples/release-system/nginx.ts';
import { NODE, runCli } from '../support/cli.ts';
import { graphql } from '../support/ledger.ts';
import { startServer, type TestServer } from '../support/server.ts';

const RUN = fileURLToPath(new URL('../../examples/release-system/run.ts', import.meta.url));
const HOSTS = ['web-1', 'web-2', 'web-3', 'web-4'];
const STEPS = [
  'backup',
  'download',
  'unpack',
  'env-init',
  'nginx-offline',
  'service-start',
  'nginx-online',
];
const LONG_MS = 180_000;

const missing = missingTools();

function missingTools(): string[] {
  const tools = ['go', 'javac', 'mvn', 'curl', 'tar'];
  const found = tools.filter((tool) => spawnSync('which', [tool]).status !== 0);
  if (findNginx() === null) found.push('nginx');
  if (found.length === 0) return [];
  const problem = `the release system is not tested here: ${found.join(', ')} not found`;
  if (process.env.CI === 'true') throw new Error(problem);
  process.stderr.write(`skipped: ${problem}\n`);
  return found;
}

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

const leftovers = async () =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('shiplog-release-'));

interface Story {
  task: {
    status: string;
    matrix: { hosts: string[]; cells: string };
    failureGroups: { hosts: string[]; steps: string[]; sample: { error: { message: string } } }[];
    runs: { nodes: { completeness: { complete: boolean } }[] };
  };
  events: {
    nodes: {
      at: string;
      source: string;
      step: string;
      status: string | null;
      message: string | null;
      hostName: string;
    }[];
  };
}
const STORY = `{
  task(id: "shop-7") {
    status
    matrix { hosts cells }
    failureGroups { hosts steps sample { error { message } } }
    runs(first: 10) { nodes { completeness { complete } } }
  }
  events(filter: { taskId: "shop-7" }, order: TIME, first: 1000) {
    nodes { at source step status message hostName }
  }
}`;

/** What each program said of a host's steps, and when. */
function namedOf(events: Story['events']['nodes'], host: string): [name: string, at: string][] {
  return events.flatMap(({ at, source, step, status, message, hostName }) => {
    if (hostName !== host) return [];
    if (source === 'agent/1.0.0') return status === null ? [] : [[`${step} ${status}`, at]];
    const [, what] = /^(tells|hears|gives up)/.exec(message ?? '') ?? [];
    return [[`${step} ${what}`, at]];
  });
}
const sorted = <T>(list: readonly T[] | undefined) => [...(list ?? [])].sort();
const toldOf = (events: Story['events']['nodes'], host: string) =>
  sorted(namedOf(events, host).map(([name]) => name));

it.skipIf(missing.length > 0)(
  'a rolling deployment behind nginx fails no request, and its task tells the whole story of both programs',
  async () => {
    const before = await leftovers();
    const args = ['--task', 'shop-7', '--hosts', String(HOSTS.length), '--batch', '2'];
    const { code, stdout, stderr } = await runCli(args, {
      command: [NODE, RUN],
      env: { SHIPLOG_URL: server.url },
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/\n[1-9]\d+ requests through nginx meanwhile, 0 failed\n/);
    expect(stdout).toContain('web-3: failed in unpack');
    expect(stdout).toContain('answered at the end by 1.0.0 and 1.1.0');
    expect(code).toBe(0);

    const { task, events } = await graphql<Story>(server.url, STORY, {});
    expect(task).toMatchObject({
      status: 'PARTIAL',
      matrix: { hosts: HOSTS, cells: 'SSSSSSSSSSSSSSSSFNNNNSSSSSSS' },
      failureGroups: [
        {
          hosts: ['web-3'],
          steps: ['unpack'],
          sample: {
            error: {
              message: 'checksum mismatch: the artefact of 1.1.0 from mirror-2 is damaged',
            },
          },
        },
      ],
    });
    expect(task.runs.nodes.map(({ completeness }) => completeness.complete)).toEqual(
      HOSTS.map(() => true),
    );
    // Of each step: the order to run it, its begin and its end by the agent, and that this was heard.
    const whole = STEPS.flatMap((step) => [
      `${step} tells`,
      `${step} RUNNING`,
      `${step} SUCCEEDED`,
      `${step} hears`,
    ]);
    const failing = [
      ...whole.slice(0, whole.indexOf('unpack SUCCEEDED')),
      'unpack FAILED',
      'unpack gives up',
    ];
    const expected = [whole, whole, failing, whole];
    expect(HOSTS.map((host) => toldOf(events.nodes, host))).toEqual(expected.map(sorted));
    // By the clock that both programs have, in whole milliseconds.
    const times = HOSTS.map((host, index) => {
      const at = new Map(namedOf(events.nodes, host));
      return expected[index]?.map((name) => at.get(name));
    });
    expect(times).toEqual(times.map(sorted));
    expect(await leftovers()).toEqual(before);
  },
  LONG_MS,
);
