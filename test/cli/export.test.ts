/** `shiplog export` as a process, and what an import makes of it on an empty server. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Client } from '../../src/cli/client.ts';
import { type LogPage, START, TaskLog } from '../../src/cli/export/task-log.ts';
import { type HttpFixture, startHttpFixture, stepEvents } from '../http/support.ts';
import { runCli, startCli } from '../support/cli.ts';
import { describeOnEngines } from '../support/engines.ts';

const dir = mkdtempSync(join(tmpdir(), 'shiplog-export-'));
let files = 0;
const fileOf = (name: string): string => join(dir, `${files++}-${name}`);

const AT = Date.now() - 3_600_000;
const WEB = { host: 'web-1', writer: 'w-1', source: 'agent/1.4.2' };

/** Of one deployment, with everything that an event can say. */
const TOLD: Record<string, unknown>[] = [
  { ...WEB, sequence: 1, step: 'backup', status: 'RUNNING', command: 'tar -c', params: { a: [1] } },
  {
    ...WEB,
    sequence: 2,
    step: 'backup',
    message: 'password=hunter2 "quoted" \u2028',
    stream: 'STDERR',
  },
  { ...WEB, sequence: 3, step: 'backup', progress: { done: 1.5, total: 3, unit: 'MiB' } },
  { ...WEB, sequence: 4, step: 'backup', status: 'SUCCEEDED', exitCode: 0, durationMs: 12.5 },
  { host: 'web-2', step: 'backup', status: 'RUNNING', attempt: 2, labels: { rack: 7, old: true } },
  {
    ...{ host: 'web-2', step: 'backup', status: 'FAILED', attempt: 2, level: 'FATAL', exitCode: 3 },
    error: { code: 'E_DISK', message: 'no space left' },
  },
];

const START_TASK =
  'mutation ($input: StartTaskInput!) { startTask(input: $input) { task { id } } }';
const FINISH_TASK =
  'mutation ($input: FinishTaskInput!) { finishTask(input: $input) { task { id } } }';

const EVERYTHING = `query ($id: ID!) {
  task(id: $id) {
    id service version environment title createdBy plan expectedHosts labels status message
    createdAt startedAt finishedAt durationMs
    runCounts { total running succeeded failed }
    matrix { hosts steps cells }
    runs { nodes { hostName status startedAt finishedAt steps { name attempt status exitCode } } }
    failureGroups { message count }
    events(last: 1000) {
      totalCount
      nodes {
        eventId kind hostName step attempt status at writer sequence service environment message
        level stream command params exitCode durationMs progress { done total unit }
        error { code message } source labels taskChange
      }
    }
  }
}`;

describeOnEngines('shiplog export', (engine) => {
  let from: HttpFixture;
  let to: HttpFixture;
  const ids = ['x-shop-1', 'x-shop-2', 'x-long'];
  beforeAll(async () => {
    from = await startHttpFixture({ store: await engine.open() });
    to = await startHttpFixture({ store: await engine.open() });
    for (const id of ids.slice(0, 2)) {
      const input = {
        id,
        service: 'shop',
        plan: ['backup'],
        hosts: ['web-1', 'web-2', 'web-3'],
        at: AT,
      };
      await from.graphql({ query: START_TASK, variables: { input } });
      await from.ingest.logSteps(
        TOLD.map((event, k) => ({ ...event, taskId: id, eventId: `e${k}`, at: AT + 1_000 * k })),
      );
      const more = {
        id,
        title: 'Again',
        environment: 'prod',
        labels: { ticket: 'OPS-1' },
        at: AT + 20_000,
      };
      await from.graphql({ query: START_TASK, variables: { input: more } });
      const ended = { id, status: 'PARTIAL', message: 'web-3 was down', at: AT + 30_000 };
      await from.graphql({ query: FINISH_TASK, variables: { input: ended } });
    }
    await from.ingest.logSteps(stepEvents('x-long', 1_000));
    await from.ingest.logSteps(stepEvents('x-long', 100, 1_000));
    // Who names no task exports those that a list of tasks has.
    await vi.waitFor(async () => {
      const { data } = await from.graphql({ query: '{ tasks { totalCount } }' });
      expect(data).toEqual({ tasks: { totalCount: ids.length } });
    }, 10_000);
  }, 60_000);
  afterAll(() => Promise.all([from.close(), to.close()]));

  async function everything({ graphql }: HttpFixture, id: string): Promise<unknown> {
    const { data, errors } = await graphql({ query: EVERYTHING, variables: { id } });
    expect(errors).toBeUndefined();
    return data;
  }

  it('gives an empty server the same log, tasks and counts, and nothing more when it comes again', async () => {
    const file = fileOf('all.ndjson.gz');
    const done = await runCli(['export', '--url', from.url, '--output', file]);
    expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('1,118 events') });
    const put = ['import', '--url', to.url, '--state', fileOf('state'), file, '--json'];
    const first = await runCli(put);
    expect(JSON.parse(first.stdout)).toMatchObject({ stored: 1_118, rejected: 0 });
    for (const id of ids) expect(await everything(to, id)).toEqual(await everything(from, id));
    expect(await to.store.eventCount()).toBe(await from.store.eventCount());
    const again = await runCli([...put, '--from-start']);
    expect(JSON.parse(again.stdout)).toMatchObject({ stored: 0, duplicates: 1_118, rejected: 0 });
    const lines = gunzipSync(readFileSync(file)).toString();
    expect(lines).not.toContain('hunter2');
    const sent = await runCli(['send', '--url', to.url, '--json', file]);
    expect(JSON.parse(sent.stdout)).toEqual({ stored: 0, duplicates: 1_118, rejected: 0 });
  }, 60_000);
});

describeOnSqlite();

function describeOnSqlite(): void {
  let shiplog: HttpFixture;
  beforeAll(async () => {
    shiplog = await startHttpFixture();
    for (let task = 0; task < 8; task++) {
      const events = stepEvents(`y-${task}`, 1_000).map((event) => ({
        ...event,
        message: 'x'.repeat(900),
      }));
      await shiplog.ingest.logSteps(events);
    }
    await shiplog.ingest.logSteps([{ ...stepEvents('y-0', 1, 1_000)[0], host: 'web-2', at: AT }]);
  });
  afterAll(() => shiplog.close());

  it('knows an agent that retries elsewhere what was exported by the time that it gave: without one the retry is a conflict', async () => {
    const said = { taskId: 'moved', host: 'web-1', step: 'backup', message: 'it began' };
    const tried = [
      { ...said, eventId: 'timed', at: AT },
      { ...said, eventId: 'untimed' },
    ];
    await shiplog.ingest.logSteps(tried);
    const { stdout } = await runCli(['export', '--url', shiplog.url, '--task', 'moved']);
    const to = await startHttpFixture();
    const put = await runCli(['import', '--url', to.url, '--json', '-'], { input: stdout });
    expect(JSON.parse(put.stdout)).toMatchObject({ stored: 2, rejected: 0 });
    expect(await to.ingest.logSteps(tried)).toMatchObject([
      { outcome: 'DUPLICATE' },
      { outcome: 'REJECTED', problem: { code: 'ID_CONFLICT' } },
    ]);
    expect(await to.store.eventCount()).toBe(2);
    await to.close();
  });

  it('chooses by task, host, step and time, and a task tells what it is in any case', async () => {
    const input = { id: 'y-said', service: 'shop', at: AT };
    await shiplog.graphql({ query: START_TASK, variables: { input } });
    const two = stepEvents('y-said', 2).map((event, k) => ({ ...event, host: `db-${k}` }));
    await shiplog.ingest.logSteps(two);
    const of = async (...args: string[]): Promise<unknown[]> => {
      const { stdout } = await runCli(['export', '--url', shiplog.url, ...args]);
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { host?: string }).host ?? 'task');
    };
    expect(await of('--task', 'y-said')).toEqual(['task', 'db-0', 'db-1']);
    expect(await of('--task', 'y-said', '--host', 'db-1')).toEqual(['task', 'db-1']);
    expect(await of('--task', 'y-said', '--step', 'backup')).toEqual(['task']);
    expect(await of('--task', 'y-0', '--until', '30m')).toEqual(['web-2']);
    expect(await of('--host', 'db-*', '--since', '30m')).toEqual(['db-0', 'db-1']);
  });

  it('goes on from where it was killed, and the file has each event once', async () => {
    const file = fileOf('killed.ndjson.gz');
    const args = ['export', '--url', shiplog.url, '--output', file];
    args.push(...['--task', [0, 1, 2, 3, 4, 5, 6, 7].map((task) => `y-${task}`).join(',')]);
    const killed = startCli(args);
    const isBegun = (): boolean =>
      readdirSync(dir).some(
        (name) => file.endsWith(name.replace('.state.json', '')) && name.endsWith('.state.json'),
      );
    // The server is in this process: it hands out nothing more until this has looked.
    await vi.waitFor(() => expect(isBegun()).toBe(true), { timeout: 30_000, interval: 2 });
    killed.child.kill('SIGKILL');
    await killed.ended;
    // As a kill in the middle of a piece leaves it.
    writeFileSync(file, Buffer.concat([readFileSync(file), gzipSync('{"half').subarray(0, 12)]));
    const resumed = await runCli(args);
    expect(resumed.stderr).toMatch(/goes on after [1-9]/);
    const ids = gunzipSync(readFileSync(file))
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const { taskId, eventId } = JSON.parse(line) as Record<string, string>;
        return `${taskId}/${eventId}`;
      });
    expect(ids).toHaveLength(8_001);
    expect(new Set(ids)).toHaveLength(8_001);
    const refused = await runCli(args);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
  });

  it('tells the cursor from which an export to a pipe goes on', async () => {
    const args = ['export', '--url', shiplog.url, '--task', 'y-1,y-2,y-3'];
    const whole = (await runCli(args)).stdout;
    const head = await runCli([], {
      command: ['bash', '-c', `"$0" "$@" | head -c 1000`, process.execPath, 'src/main.ts', ...args],
    });
    const cursor = /--after (\S+)/.exec(head.stderr)?.[1];
    expect(cursor).toBeDefined();
    const rest = await runCli([...args, '--after', cursor as string]);
    expect(whole.endsWith(rest.stdout)).toBe(true);
    expect(rest.stdout.length).toBeGreaterThan(0);
  });

  it('reads a task from its start where it stopped in another, which was removed since', async () => {
    const client = new Client({ url: shiplog.url, token: null });
    const all = { hosts: null, steps: null, since: null, until: null };
    const log = (task: string): TaskLog =>
      new TaskLog(client, { ...all, tasks: [task] }, new AbortController().signal);
    const { value: stopped } = await log('y-4').pages(START).next();
    const ids: (string | null)[] = [];
    for await (const { events } of log('y-3').pages((stopped as LogPage).place)) {
      ids.push(...events.map(({ eventId }) => eventId));
    }
    expect((stopped as LogPage).place.event).not.toBeNull();
    expect(ids).toEqual(stepEvents('y-3', 1_000).map(({ eventId }) => eventId));
  });
}
