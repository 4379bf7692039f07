import { describe, expect, it } from 'vitest';
import { freePorts } from '../elasticsearch/node.ts';
import { runCli, startCli } from '../support/cli.ts';
import { answer, standIn } from '../support/stand-in.ts';

const serve = (url: string, ...more: string[]) => [
  ...['serve', '--port', '0', '--store', 'elasticsearch', '--elasticsearch-url', url],
  ...more,
];

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
