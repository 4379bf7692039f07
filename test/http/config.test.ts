import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type Config, configFlags, configTable, parseConfig } from '../../src/config.ts';
import { OPTIONS } from '../../src/config-options.ts';

type Env = Record<string, string>;

function problemsOf(flags: Record<string, unknown>, env: Env): string[] {
  const result = parseConfig(flags, env);
  return 'problems' in result ? result.problems : [];
}
function configOf(flags: Record<string, unknown>, env: Env): Config {
  const result = parseConfig(flags, env);
  if ('problems' in result) throw new Error(result.problems.join('\n'));
  return result.ok;
}

describe('the configuration', () => {
  it('has a default for everything, so that a server starts with nothing set', () => {
    expect(configOf({}, {})).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      store: 'sqlite',
      dataDir: './shiplog-data',
      elasticsearchUrl: [],
      elasticsearchPassword: null,
      tokensFile: null,
      insecure: false,
      maxBodyBytes: 8 * 1024 * 1024,
      graphiql: true,
    });
  });

  it('lets a flag win over the environment, and the environment over the default', () => {
    const env = { SHIPLOG_PORT: '5000', SHIPLOG_HOST: '::1' };
    expect(configOf({ port: '6000' }, env)).toMatchObject({ port: 6000, host: '::1' });
  });

  it('takes an origin however it is written, of extensions and programs too, and never null', () => {
    const env = {
      SHIPLOG_ALLOWED_ORIGINS:
        'HTTPS://Deploy.Example:443/, http://bücher.example, moz-extension://5D0C7A4E-4b1f, electron://altair',
    };
    expect(configOf({}, env).allowedOrigins).toEqual([
      'https://deploy.example',
      'http://xn--bcher-kva.example',
      'moz-extension://5D0C7A4E-4b1f',
      'electron://altair',
    ]);
    for (const wrong of ['null', '*', 'https://*.example', 'deploy.example', 'file:///x']) {
      expect(problemsOf({}, { SHIPLOG_ALLOWED_ORIGINS: wrong })).toEqual([
        expect.stringContaining('must be an origin'),
      ]);
    }
  });

  it('reports every mistake at once, each with the name under which it was given', () => {
    const problems = problemsOf(
      { logLevel: 'loud' },
      {
        SHIPLOG_PORT: '70000',
        SHIPLOG_RETENTION_DAYS: 'a month',
        SHIPLOG_GRAPHIQL: 'maybe',
        SHIPLOG_ALLOWED_ORIGINS: 'https://ok.example, https://no.example/path',
        SHIPLOG_PROT: '1',
      },
    );
    expect(problems).toEqual([
      'SHIPLOG_PORT: "70000" must be a whole number from 0 to 65535',
      expect.stringContaining(
        'SHIPLOG_ALLOWED_ORIGINS: "https://ok.example, https://no.example/path" must be an origin',
      ),
      'SHIPLOG_RETENTION_DAYS: "a month" must be a whole number from 1 to 3650',
      expect.stringMatching(/^--log-level: "loud" must be one of trace, /),
      'SHIPLOG_GRAPHIQL: "maybe" must be on or off',
      'SHIPLOG_PROT is not an option: did you mean SHIPLOG_PORT?',
    ]);
  });

  it('reports settings that contradict each other together with those that are wrong', () => {
    const env = {
      SHIPLOG_HOST: '0.0.0.0',
      SHIPLOG_PORT: 'abc',
      SHIPLOG_STORE: 'elasticsearch',
      SHIPLOG_ELASTICSEARCH_USERNAME: 'u',
    };
    expect(problemsOf({ dataDir: '' }, env)).toEqual([
      'SHIPLOG_PORT: "abc" must be a whole number from 0 to 65535',
      '--data-dir: "" must not be empty',
      expect.stringMatching(/^SHIPLOG_ELASTICSEARCH_URL must be set/),
      expect.stringMatching(/_USERNAME and SHIPLOG_ELASTICSEARCH_PASSWORD must be set together$/),
      expect.stringMatching(/^SHIPLOG_HOST: 0\.0\.0\.0 can be reached by others/),
    ]);
  });

  it('takes the names of the clients for agents for none of its own', () => {
    const env = { SHIPLOG_URL: 'http://a', SHIPLOG_SPOOL: '/s', SHIPLOG_SPOOL_BYTES: '9' };
    expect(problemsOf({}, { ...env, SHIPLOG_TASK: 't', SHIPLOG_ATTEMPT: '2' })).toEqual([]);
    expect(problemsOf({}, { SHIPLOG_HOST_NAME: '0.0.0.0' })).toHaveLength(1);
  });

  it('says a mistake once, and does not take a secret that it cannot read for a missing one', () => {
    expect(problemsOf({ allowedOrigins: 'a,b' }, {})).toHaveLength(1);
    const env = {
      SHIPLOG_ELASTICSEARCH_USERNAME: 'u',
      SHIPLOG_ELASTICSEARCH_PASSWORD_FILE: '/nowhere/password',
    };
    expect(problemsOf({}, env)).toEqual([expect.stringContaining('cannot read /nowhere/password')]);
  });

  it('reads a secret from a file by its _FILE twin, and refuses both at a time', () => {
    const env = { SHIPLOG_ELASTICSEARCH_API_KEY_FILE: '/run/key' };
    const read = parseConfig({}, env, () => 'abc=\n');
    expect(read).toMatchObject({ ok: { elasticsearchApiKey: 'abc=' } });
    expect(problemsOf({}, { ...env, SHIPLOG_ELASTICSEARCH_API_KEY: 'x' })).toEqual([
      'SHIPLOG_ELASTICSEARCH_API_KEY and SHIPLOG_ELASTICSEARCH_API_KEY_FILE are both set: use one of them',
    ]);
  });

  it('names the file of a secret that cannot be read', () => {
    const env = { SHIPLOG_ELASTICSEARCH_API_KEY_FILE: '/nowhere/key' };
    expect(problemsOf({}, env)[0]).toContain('cannot read /nowhere/key');
  });

  it('never shows the value of a secret in a problem', () => {
    const problems = problemsOf({}, { SHIPLOG_ELASTICSEARCH_PASSWORD: 'hunter2' });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('refuses an address that others can reach unless there are tokens or --insecure', () => {
    expect(problemsOf({}, { SHIPLOG_HOST: '0.0.0.0' })[0]).toContain('--insecure');
    expect(configOf({ insecure: true }, { SHIPLOG_HOST: '0.0.0.0' }).insecure).toBe(true);
    const withTokens = { SHIPLOG_HOST: '0.0.0.0', SHIPLOG_TOKENS_FILE: 'tokens' };
    expect(configOf({}, withTokens).tokensFile).toBe('tokens');
    for (const host of ['localhost', '::1', '127.0.0.2']) {
      expect(configOf({}, { SHIPLOG_HOST: host }).host).toBe(host);
    }
  });

  it('asks for what an engine needs, and for one way to authenticate', () => {
    expect(problemsOf({ store: 'elasticsearch' }, {})[0]).toContain('SHIPLOG_ELASTICSEARCH_URL');
    const env = {
      SHIPLOG_ELASTICSEARCH_USERNAME: 'a',
      SHIPLOG_ELASTICSEARCH_PASSWORD: 'b',
      SHIPLOG_ELASTICSEARCH_API_KEY: 'c',
    };
    expect(problemsOf({}, env)[0]).toContain('use one of them');
  });

  it('passes over names that clients and Kubernetes use', () => {
    const env = {
      SHIPLOG_URL: 'http://x',
      SHIPLOG_TOKEN: 't',
      SHIPLOG_SERVICE_HOST: '10.0.0.1',
      SHIPLOG_SERVICE_PORT: '4000',
      SHIPLOG_PORT: 'tcp://10.0.0.1:4000',
      SHIPLOG_PORT_4000_TCP_ADDR: '10.0.0.1',
    };
    expect(configOf({}, env).port).toBe(4000);
  });

  it('starts beside every Service of Kubernetes, whatever it is called, and still finds a misspelt name', () => {
    const services = {
      SHIPLOG_ELASTICSEARCH_SERVICE_HOST: '10.96.0.7',
      SHIPLOG_ELASTICSEARCH_SERVICE_PORT: '9200',
      SHIPLOG_ELASTICSEARCH_PORT: 'tcp://10.96.0.7:9200',
      SHIPLOG_ELASTICSEARCH_PORT_9200_TCP: 'tcp://10.96.0.7:9200',
      SHIPLOG_ELASTICSEARCH_PORT_9200_TCP_PROTO: 'tcp',
      SHIPLOG_ELASTICSEARCH_PORT_9200_TCP_PORT: '9200',
      SHIPLOG_ELASTICSEARCH_PORT_9200_TCP_ADDR: '10.96.0.7',
      SHIPLOG_ES_HTTP_SERVICE_HOST: 'fd00::8',
      SHIPLOG_ES_HTTP_SERVICE_PORT_HTTPS: '9200',
      SHIPLOG_ES_HTTP_PORT: 'tcp://[fd00::8]:9200',
      SHIPLOG_DNS_PORT_53_UDP: 'udp://10.96.0.9:53',
    };
    expect(problemsOf({}, services)).toEqual([]);
    const misspelt = {
      SHIPLOG_HTTP_PORT: '4001',
      SHIPLOG_ELASTIC_SERVICE_HOST: 'elastic.example',
      SHIPLOG_ELASTIC_SERVICE_PORT: 'http',
      SHIPLOG_PORT_4000_TCP: 'yes',
      SHIPLOG_WEB_PORT: 'tcp://elastic:9200',
    };
    expect(problemsOf({}, misspelt).map((problem) => problem.split(' ')[0])).toEqual(
      Object.keys(misspelt),
    );
  });

  it.each([
    'http://elastic:Hunter2@127.0.0.1:9200',
    'https://a:9200,http://:Hunter2@b:9200',
    'ftp://elastic:Hunter2@b',
    'elastic:Hunter2@127.0.0.1:9200',
    'http://elastic:Hunt@Hunter2@b:9200/x',
    'http://elastic:Hunter2',
  ])('refuses %s in whichever setting, and does not repeat its password', (value) => {
    for (const name of ['SHIPLOG_ELASTICSEARCH_URL', 'SHIPLOG_ALLOWED_ORIGINS', 'SHIPLOG_PORT']) {
      const problems = problemsOf({}, { [name]: value });
      expect(problems).not.toEqual([]);
      expect(problems.join()).not.toMatch(/Hunt/);
    }
  });

  it('gives every option a flag that commander reads back under its own name', () => {
    const command = new Command().exitOverride();
    for (const flag of configFlags()) command.addOption(flag);
    command.parse(
      ['--elasticsearch-url', 'http://a:9200,http://b:9200', '--graphiql', 'off', '--insecure'],
      {
        from: 'user',
      },
    );
    expect(configOf(command.opts(), {})).toMatchObject({
      elasticsearchUrl: ['http://a:9200', 'http://b:9200'],
      graphiql: false,
      insecure: true,
    });
    expect(command.options.map((option) => option.attributeName())).toEqual(Object.keys(OPTIONS));
    const help = command.helpInformation();
    for (const option of Object.values(OPTIONS)) expect(help).toContain(option.env);
  });

  it('shows every option in the table for the README', () => {
    const table = configTable();
    for (const option of Object.values(OPTIONS)) expect(table).toContain(`\`${option.env}\``);
    expect(table).toContain('or `SHIPLOG_ELASTICSEARCH_PASSWORD_FILE`');
  });

  it('reads every option that it names nowhere else than in the table', () => {
    const text = readFileSync(new URL('../../src/config.ts', import.meta.url), 'utf8');
    const named = new Set(text.match(/SHIPLOG_[A-Z_]+[A-Z]/g));
    const known = Object.values(OPTIONS).map((option) => option.env as string);
    expect([...named].filter((name) => !known.includes(name))).toEqual([]);
  });
});
