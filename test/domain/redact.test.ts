import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskKeys } from '../../src/domain/redact/key-block.ts';
import { createRedactor } from '../../src/domain/redact/redact.ts';
import { cpuMs } from '../support/cpu-ms.ts';
import { JWT, part } from './redact-parts.ts';

const { text, json, labels } = createRedactor();

describe('a secret in a text', () => {
  it.each([
    ['x --password hunter2 -v', 'x --password [redacted] -v'],
    ['x --password=hunter2 -v', 'x --password=[redacted] -v'],
    ["x --db-password 'a b' -v", "x --db-password '[redacted]' -v"],
    ["['--token', 'hunter2']", "['--token', '[redacted]']"],
    ['DB_PASSWORD=hunter2 ./run', 'DB_PASSWORD=[redacted] ./run'],
    ['PASSWORD="a b" ./run', 'PASSWORD="[redacted]" ./run'],
    ['PASSWORD={x}[y]', 'PASSWORD=[redacted]'],
    ['{"password": "va\\"lue", "n": 1}', '{"password": "[redacted]", "n": 1}'],
    ['"{\\"api_key\\":\\"k1\\"}" end', '"{\\"api_key\\":\\"[redacted]\\"}" end'],
    ['{"secret":12345,"n":1}', '{"secret":[redacted],"n":1}'],
    ['GET /x?token=abc&u=1', 'GET /x?token=[redacted]&u=1'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer [redacted]'],
    ['-H "authorization: Basic dXNlcg==" u', '-H "authorization: Basic [redacted]" u'],
    ['X-Api-Key: abcdef', 'X-Api-Key: [redacted]'],
    ['a\n  password: hunter2\nb', 'a\n  password: [redacted]\nb'],
    ['token = hunter2', 'token = [redacted]'],
    ['> $env:DB_PASSWORD = "a b"', '> $env:DB_PASSWORD = "[redacted]"'],
    ["run; $password = 'x' ; go", "run; $password = '[redacted]' ; go"],
    ['{"name":"DB_PASS","value":"a b","x":1}', '{"name":"DB_PASS","value":"[redacted]","x":1}'],
    [
      '[{\\"key\\": \\"token\\", \\"value\\": \\"x\\"}]',
      '[{\\"key\\": \\"token\\", \\"value\\": \\"[redacted]\\"}]',
    ],
    ['- name: DB_PASS\n  value: hunter2\n', '- name: DB_PASS\n  value: [redacted]\n'],
    ['<add key="DbPassword" value="a b" />', '<add key="DbPassword" value="[redacted]" />'],
    ["<property name='db.pass' value='x'/>", "<property name='db.pass' value='[redacted]'/>"],
    ['<password>hunter2</password><n>1</n>', '<password>[redacted]</password><n>1</n>'],
    ['<x:apiKey id="1">abc</x:apiKey>', '<x:apiKey id="1">[redacted]</x:apiKey>'],
    ['https://user:p@ss@host/x', 'https://[redacted]@host/x'],
    ['mysql -u root -phunter2 shop', 'mysql -u root -p[redacted] shop'],
    ['curl -u bob:pw http://x', 'curl -u bob:[redacted] http://x'],
    ['key AKIAIOSFODNN7EXAMPLE.', 'key [redacted].'],
    [`ghp_${'a'.repeat(36)}`, '[redacted]'],
    [`github_pat_${'a'.repeat(40)}`, '[redacted]'],
    [`glpat-${'a1'.repeat(10)}`, '[redacted]'],
    [`npm_${'a1'.repeat(18)} published`, '[redacted] published'],
    [`key=AIza${'a'.repeat(35)}`, 'key=[redacted]'],
    [`sk_live_${'a'.repeat(24)}`, '[redacted]'],
    ['gpg --passphrase hunter2 -d', 'gpg --passphrase [redacted] -d'],
    ['AWS_SECRET_ACCESS_KEY=abc', 'AWS_SECRET_ACCESS_KEY=[redacted]'],
    ['accessKey: abc', 'accessKey: [redacted]'],
    [`got ${JWT} back`, 'got [redacted] back'],
    ['xoxb-123456789012-abcdef', '[redacted]'],
    ['shp_ab12_s3cretS3cret', '[redacted]'],
    ['a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b', 'a [redacted] b'],
    ['-----BEGIN PRIVATE KEY-----\nMII', '[redacted]'],
  ])('%j becomes %j', (input, expected) => {
    expect(text(input)).toBe(expected);
  });

  it.each([
    ['GET https://artefacts.example.net/app.tar.gz 200 OK'],
    ['wrong password: try again'],
    ['5 tokens parsed, no secrets found'],
    ['docker login --password-stdin registry.example.net'],
    ['ssh://git@example.net/app'],
    ['{"token": null, "useToken": true}'],
    ['--password --verbose'],
    ['mkdir -p /data/app'],
    ['PASSWORD='],
    ['{"name":"web-1","value":"up"}'],
    ['<key>port</key> <password></password>'],
  ])('is not seen in %j', (input) => {
    expect(text(input)).toBe(input);
  });

  it('is gone after once: redacting twice is the same', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 24 }), (parts) => {
        const once = text(parts.join(''));
        expect(text(once)).toBe(once);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes time in proportion to the text, whatever stands in it', () => {
    const time = (line: string) => {
      const begin = performance.now();
      text(line);
      return performance.now() - begin;
    };
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        const unit = parts.join('');
        const line = (length: number) => `token${unit.repeat(Math.ceil(length / unit.length))}`;
        // The least of many tries is what the text costs by itself, whatever else the machine does.
        const least = { short: Number.POSITIVE_INFINITY, long: Number.POSITIVE_INFINITY };
        // Eight times the text: quadratic would be 64 times. Below 4 ms is noise.
        const isProportional = () => least.long < Math.max(24 * least.short, 4);
        for (let tries = 0; tries < 3 || (tries < 60 && !isProportional()); tries++) {
          least.short = Math.min(least.short, time(line(4_096)));
          least.long = Math.min(least.long, time(line(32_768)));
        }
        expect(least.long).toBeLessThan(Math.max(24 * least.short, 4));
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    'git -',
    'mysql "',
    "['curl', '",
    'mysql -p\\',
    'redis-cli ',
    'pass',
    'echo ',
    'hooks/',
    '?sig=',
    'eyJaaa',
    '\u001b[1mtoken=',
    'token=>{',
    'token:"',
    'password="',
    'curl -u a:',
    'mysql -p',
    'eyJaaaaaa.',
    '://',
    'curl -u a: ',
    'docker login -p a ',
    'git password ',
    'aws secret ',
    'token=a ',
    'pass: a\n',
  ])('takes no longer where a message of full length is nothing but %s', (unit) => {
    const line = unit.repeat(Math.ceil(65_536 / unit.length));
    const begin = cpuMs();
    for (let round = 0; round < 4; round++) text(line);
    expect((cpuMs() - begin) / 4).toBeLessThan(200);
  });

  it('takes no longer with names of one’s own that have many stars', () => {
    const own = createRedactor({ keys: ['a*b*c', 'a*b*c*d', 'a*b*c*d*e*f*g'] });
    const begin = cpuMs();
    own.text(`${'ab'.repeat(32_768)} password=x`);
    expect(cpuMs() - begin).toBeLessThan(1_500);
    expect(own.labels({ 'a-big-cat': 'x' })).toEqual({ 'a-big-cat': '[redacted]' });
  });
});

describe('a key in one line', () => {
  const KEY = '-----BEGIN PRIVATE KEY-----MIIabcHunter2-----END PRIVATE KEY-----';

  it.each([
    [`${'x'.repeat(100)}-----BEGIN CERTIFICATE-----MIIabc-----END CERTIFICATE-----`],
    [`-----BEGIN PRIVATE KEY-----\n${'a1B2'.repeat(60)}\n-----END PRIVATE KEY-----`],
    [KEY.repeat(4)],
  ])('is hidden whatever was looked at before: %s', (before) => {
    maskKeys(before, null);
    expect(maskKeys(KEY, null).text).toBe('[redacted]');
    text(before);
    expect(text(KEY)).toBe('[redacted]');
  });
});

describe('a secret in params and labels', () => {
  it('is known by its key, at any depth', () => {
    expect(
      json({
        url: 'http://x',
        Password: 'p',
        db: [{ 'api-key': 7, user: 'u' }],
        credentials: { a: 1 },
      }),
    ).toEqual({
      url: 'http://x',
      Password: '[redacted]',
      db: [{ 'api-key': '[redacted]', user: 'u' }],
      credentials: '[redacted]',
    });
    expect(json({ useToken: true, token: null })).toEqual({ useToken: true, token: null });
    expect(json({ args: ['--password=x'] })).toEqual({ args: ['--password=[redacted]'] });
    expect(
      json({ argv: ['deploy', '--db-password', 'hunter2', '--token', '-v', '--token-file', 'f'] }),
    ).toEqual({
      argv: ['deploy', '--db-password', '[redacted]', '--token', '-v', '--token-file', 'f'],
    });
    const env = (value: string) => [
      { name: 'DB_PASS', value, from: 'vault' },
      { Key: 'apiToken', Value: value },
      { name: 'PORT', value: '80' },
    ];
    expect(json({ env: env('hunter2') })).toEqual({
      env: [
        { name: 'DB_PASS', value: '[redacted]', from: 'vault' },
        { Key: 'apiToken', Value: '[redacted]' },
        { name: 'PORT', value: '80' },
      ],
    });
    const headers = (value: string) => [
      ['Authorization', value],
      ['Accept', 'text/plain'],
    ];
    expect(json({ headers: headers('Bearer x') })).toEqual({ headers: headers('[redacted]') });
    expect(json({ words: ['password', 'x'] })).toEqual({ words: ['password', 'x'] });
    expect(labels({ team: 'a', private_key: 'k' })).toEqual({
      team: 'a',
      private_key: '[redacted]',
    });
  });

  it('can have names of one’s own, and redaction can be off', () => {
    const own = createRedactor({ keys: ['pin-code', 'x*pass'] });
    expect(own.text('PIN_CODE=1 x-my-pass=2 pin=3')).toBe(
      'PIN_CODE=[redacted] x-my-pass=[redacted] pin=3',
    );
    expect(own.json({ pin_code: '1' })).toEqual({ pin_code: '[redacted]' });
    expect(createRedactor({ enabled: false }).text('password=x')).toBe('password=x');
  });

  it('is counted once, by rule', () => {
    const own = createRedactor();
    own.text(own.text('TOKEN=x https://u:p@h'));
    own.json(own.json({ token: 'x' }));
    expect(own.counts).toMatchObject({ named: 1, url: 1, key: 1 });
  });
});
