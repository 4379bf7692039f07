import { describe, expect, it } from 'vitest';
import { freePorts } from '../elasticsearch/node.ts';
import { runCli, startCli } from '../support/cli.ts';
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
