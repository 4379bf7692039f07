/** Every command that speaks to a server, with every kind of token. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/cli/client.ts';
import { FinishTaskDocument, StartTaskDocument } from '../../src/cli/gen/graphql.ts';
import { formatTokens, makeToken, SCOPES, type Scope } from '../../src/domain/token.ts';
import { runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

const KINDS = [...SCOPES, 'none'] as const;
type Kind = (typeof KINDS)[number];

/** Its arguments for a task of its own, and which scope it needs besides `admin`. */
const COMMANDS: Record<string, [needs: 'ingest' | 'read', args: (task: string) => string[]]> = {
  start: ['ingest', (task) => [task, '--service', 'shop', '--plan', 'build']],
  finish: ['ingest', (task) => [task, '--status', 'SUCCEEDED']],
  run: ['ingest', (task) => ['--task', task, '--step', 's', '--', 'echo', 'hi']],
  send: ['ingest', () => []],
  simulate: ['ingest', (task) => ['--task', task, '--hosts', '1', '--speed', '0']],
  task: ['read', () => ['over', '--watch']],
  tasks: ['read', () => []],
  tail: ['read', () => ['--task', 'over', '--until-task-ends', '--last', '10']],
  search: ['read', () => ['anything']],
  logs: ['read', () => ['over']],
  export: ['read', () => ['--task', 'over']],
  import: ['ingest', () => ['-']],
};
/** They work on files, or are the server. */
const LOCAL = ['serve', 'tokens', 'backup', 'rebuild', 'doctor', 'mapping', 'help'];
/** It needs an engine too: `docker.test.ts` has one. */
const ELSEWHERE = ['docker'];

let server: TestServer;
let directory: string;
const tokens = new Map<Kind, string>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'shiplog-scopes-'));
  const file = join(directory, 'tokens.json');
  const made = SCOPES.map(
    (scope: Scope) => [scope, makeToken('', [scope], null, Date.now())] as const,
  );
  for (const [scope, { token }] of made) tokens.set(scope, token);
  await writeFile(file, formatTokens(made.map(([, { record }]) => record)));
  server = await startServer({ env: { SHIPLOG_TOKENS_FILE: file } });
  const client = new Client({ url: server.url, token: tokens.get('admin') as string });
  for (const id of ['over', ...KINDS.map((kind) => `finish-${kind}`)]) {
    await client.query(StartTaskDocument, { input: { id, hosts: ['h'] } });
  }
  await client.query(FinishTaskDocument, { input: { id: 'over' } });
});
afterAll(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('a command that speaks to the server', () => {
  it('is in this table', async () => {
    const { stdout } = await runCli(['--help']);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name as string);
    expect(names.filter((name) => ![...LOCAL, ...ELSEWHERE].includes(name)).sort()).toEqual(
      Object.keys(COMMANDS).sort(),
    );
  });

  it.each(Object.entries(COMMANDS))('%s does all that its token may do', async (name, row) => {
    const [needs, args] = row;
    const ended = await Promise.all(
      KINDS.map(async (kind) => {
        const token = tokens.get(kind);
        const event = { taskId: `${name}-${kind}`, host: 'h', step: 's', message: 'sent' };
        const { code, stderr } = await runCli([name, ...args(`${name}-${kind}`)], {
          env: {
            SHIPLOG_URL: server.url,
            ...(token === undefined ? {} : { SHIPLOG_TOKEN: token }),
          },
          input: JSON.stringify(event),
        });
        const refusal = /lacks the scope|needs a token|this needs|A token is needed/.test(stderr);
        return { kind, code, refusal };
      }),
    );
    expect(ended).toEqual(
      KINDS.map((kind) => {
        const refusal = kind !== needs && kind !== 'admin';
        // A command under `run` is not held up, nor its exit code changed.
        return { kind, code: refusal && name !== 'run' ? 4 : 0, refusal };
      }),
    );
  });
});
