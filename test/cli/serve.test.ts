import { once } from 'node:events';
import { mkdtemp, readdir, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePorts } from '../elasticsearch/node.ts';
import { MAIN, NODE, runCli, startCli } from '../support/cli.ts';
import { startServer } from '../support/server.ts';
import { answer, standIn } from '../support/stand-in.ts';

const serve = (url: string, ...more: string[]) => [
  ...['serve', '--port', '0', '--store', 'elasticsearch', '--elasticsearch-url', url],
  ...more,
];

describe('shiplog serve with flags that are wrong', () => {
  it('says all of them at once, unknown ones too, and ends with 2', async () => {
    const { code, stdout, stderr } = await runCli(
      ['serve', '--prot', '1', '--bogus=2', '--port', 'x', '--insecure=no', '--redact', 'maybe'],
      { env: { SHIPLOG_STORE: 'mongo' } },
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      'shiplog: --prot is not an option: did you mean --port?',
      'shiplog: --bogus=2 is not an option: see shiplog serve --help',
      'shiplog: --insecure=no is not an option: did you mean --insecure?',
      'shiplog: --port: "x" must be a whole number from 0 to 65535',
      'shiplog: SHIPLOG_STORE: "mongo" must be one of sqlite, elasticsearch',
      'shiplog: --redact: "maybe" must be on or off',
    ]);
  });

  it('refuses a word that belongs to nothing', async () => {
    const { code, stderr } = await runCli(['serve', 'shiplog-data']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'shiplog: shiplog-data is not an option: see shiplog serve --help\n',
    });
  });
});

describe('shiplog serve that cannot start', () => {
  it('leaves nothing behind where the port is taken or the tokens cannot be read', async () => {
    const home = await mkdtemp(join(tmpdir(), 'shiplog-serve-'));
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const dataDir = join(home, 'data');
    const refused = await runCli(['serve', '--port', String(port), '--data-dir', dataDir]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('(--port)') });
    const tokens = ['--tokens-file', join(home, 'none')];
    const lost = await runCli(['serve', '--port', '0', '--data-dir', dataDir, ...tokens]);
    expect(lost).toMatchObject({ code: 2, stderr: expect.stringContaining('SHIPLOG_TOKENS_FILE') });
    expect(await readdir(home)).toEqual([]);
    taken.close();
  });
});

describe('shiplog serve', () => {
  it('keeps what it stores and backs up from other users of the machine', async () => {
    const home = await mkdtemp(join(tmpdir(), 'shiplog-serve-'));
    const dataDir = join(home, 'data');
    await using server = await startServer({ dataDir });
    const backup = join(home, 'backup.db');
    expect((await runCli(['backup', backup, '--data-dir', dataDir])).code).toBe(0);
    const files = (await readdir(dataDir)).map((name) => join(dataDir, name));
    const open: string[] = [];
    for (const path of [dataDir, backup, ...files]) {
      if (((await stat(path)).mode & 0o077) !== 0) open.push(path);
    }
    expect(open).toEqual([]);
    expect(files.length).toBeGreaterThanOrEqual(4);
    expect(server.pid).toBeGreaterThan(0);
  });

  it('says where the first one is when it is started twice', async () => {
    await using server = await startServer();
    const { dataDir, url, pid, port } = server;
    for (const again of [String(port), '0']) {
      const { code, stderr } = await runCli(['serve', '--port', again, '--data-dir', dataDir]);
      expect(code).toBe(1);
      expect(stderr).toContain(`Shiplog is running already: ${url} (process ${pid}`);
    }
  });

  it('prints one line with a link for a person who looks on, and JSON for a file', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'shiplog-serve-'));
    const command = `exec ${NODE} ${MAIN} serve --port 0 --data-dir ${dataDir}`;
    const watched = startCli(['-qfc', command, '/dev/null'], { command: ['script'] });
    await watched.until((stdout) => stdout.includes('\n'));
    expect(watched.stdout().trimEnd()).toMatch(
      new RegExp(
        `^Shiplog \\d+\\.\\d+\\.\\d+ · http://127\\.0\\.0\\.1:\\d+/graphiql · data in ${dataDir}$`,
      ),
    );
    watched.child.kill('SIGTERM');
    await watched.ended;
    await using server = await startServer();
    expect(JSON.parse(server.stdout().split('\n')[0] ?? '')).toMatchObject({ name: 'shiplog' });
  });
});

describe('shiplog serve on Elasticsearch', () => {
  it('ends with 2 where the credentials are wrong: waiting would not help', async () => {
    await using cluster = await standIn((_, response) =>
      answer(
        response,
        401,
        { error: { reason: 'unable to authenticate' } },
        { 'x-elastic-product': 'Elasticsearch' },
      ),
    );
    const { code, stderr } = await runCli(serve(cluster.url, '--elasticsearch-api-key', 'k-e-y'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^shiplog: .*unable to authenticate.*SHIPLOG_ELASTICSEARCH_API_KEY/);
    expect(stderr).not.toContain('k-e-y');
  });

  it('ends with 2 where something else answers: waiting would not help', async () => {
    await using page = await standIn((_, response) => {
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<h1>Not found</h1>');
    });
    const { code, stderr } = await runCli(serve(page.url));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^shiplog: .*is not Elasticsearch \d+ \(it says 404\)/),
    });
  });

  it('ends with 2 where the file of the certificate authority is not there', async () => {
    const { code, stderr } = await runCli(
      serve('https://127.0.0.1:2', '--elasticsearch-ca', '/nowhere/ca.pem'),
    );
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^shiplog: SHIPLOG_ELASTICSEARCH_CA: .*\/nowhere\/ca\.pem/),
    });
  });

  it('waits for a cluster that is away as long as it is told, and ends with 1', async () => {
    const [port] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const { code, stdout, stderr } = await runCli(serve(url, '--elasticsearch-wait-seconds', '1'));
    expect(code).toBe(1);
    expect(stdout).toContain('"waiting for Elasticsearch"');
    expect(stderr).toMatch(/^shiplog: Elasticsearch cannot be reached/);
  });

  it('stops at once when it is told to while it waits', async () => {
    const [port] = await freePorts(1);
    const server = startCli(serve(`http://127.0.0.1:${port}`));
    await server.until((stdout) => stdout.includes('waiting for Elasticsearch'));
    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, signal: null });
  });
});
