import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROGRAM_NAMES } from '../../src/domain/redact/command-secrets.ts';
import { maskKeys } from '../../src/domain/redact/key-block.ts';
import { createRedactor } from '../../src/domain/redact/redact.ts';

const { text, json, labels } = createRedactor();
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_';

/** Of this thread alone, in steps of some 16 ms: what else the machine does is not measured. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const part = fc.constantFrom(
  ...['password', '--token', 'authorization', 'Bearer', 'secret_x', 'mysql -p', 'curl -u a:'],
  ...['=', ':', ': ', ' ', '"', "'", '\\', '\\"', '\n', ',', '{', '}', '[', ']', '[redacted]'],
  ...['://', '@', 'a', '-', '&', '?', '>', '|', JWT, 'shp_a_bcdefgh', 'AKIAIOSFODNN7EXAMPLE'],
  ...['-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', 'x1', 'hunter2hunter2'],
);

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

const SECRET = 'Hunter2';
/** Commands with a secret, as lists of arguments. */
const COMMANDS: string[][] = [
  ['mysql', '-uroot', '-pHunter2', 'shop'],
  ['/usr/bin/mysql', '-uroot', '-pHunter2 x', 'shop'],
  ['sudo', '-u', 'bob', 'mysqldump', '-pHunter2', '--all-databases'],
  ['env', 'A=1', 'mariadb', '-u', 'root', '-pHunter2'],
  ['mysqladmin', '-u', 'root', 'password', 'Hunter2'],
  ['sshpass', '-p', 'Hunter2', 'ssh', '-p', '22', 'web-1'],
  ['sshpass', '-pHunter2', 'ssh', 'web-1'],
  ['curl', '-s', '-u', 'bob:Hunter2', 'http://127.0.0.1:1/'],
  ['curl', '-sSu', 'bob:Hunter2', 'http://127.0.0.1:1/'],
  ['curl', '--user=bob:Hunter2', 'http://127.0.0.1:1/'],
  ['curl', '--proxy-user', 'bob:Hunter2', 'http://127.0.0.1:1/'],
  ['curl', '-H', 'Cookie: sid=Hunter2; a=b', 'http://127.0.0.1:1/'],
  ['curl', '-H', 'Authorization: Bearer Hunter2Hunter2', 'http://127.0.0.1:1/'],
  ['curl', 'http://bob:Hunter2@127.0.0.1:1/'],
  ['redis-cli', '-a', 'Hunter2', 'ping'],
  ['redis-cli', 'auth', 'Hunter2'],
  ['docker', 'login', '-u', 'bob', '-p', 'Hunter2', 'registry.example.net'],
  ['podman', 'login', '-pHunter2', 'registry.example.net'],
  ['skopeo', 'copy', '--src-creds', 'bob:Hunter2', 'a', 'b'],
  ['wget', '--password', 'Hunter2', 'http://x'],
  ['wget', '--http-password=Hunter2', 'http://x'],
  ['ansible', 'all', '-e', 'ansible_ssh_pass=Hunter2', '-m', 'ping'],
  ['kubectl', '--token', 'Hunter2', 'get', 'pods'],
  ['kubectl', 'create', 'secret', 'generic', 'x', '--from-literal=a=Hunter2'],
  ['openssl', 'rsa', '-passin', 'pass:Hunter2', '-in', 'key.pem'],
  ['openssl', 'enc', '-aes-256-cbc', '-k', 'Hunter2'],
  ['htpasswd', '-b', '.htpasswd', 'bob', 'Hunter2'],
  ['htpasswd', '-nb', 'bob', 'Hunter2'],
  ['psql', 'postgres://bob:Hunter2@db/shop'],
  ['PGPASSWORD=Hunter2', 'psql', '-h', 'db'],
  ['mongodump', '-u', 'bob', '-p', 'Hunter2'],
  ['ldapsearch', '-D', 'cn=x', '-w', 'Hunter2'],
  ['sqlplus', 'scott/Hunter2@db'],
  ['sqlcmd', '-U', 'sa', '-P', 'Hunter2'],
  ['smbclient', '//x/y', '-U', 'bob%Hunter2'],
  ['keytool', '-storepass', 'Hunter2', '-list'],
  ['ssh-keygen', '-N', 'Hunter2', '-f', 'id'],
  ['zip', '-P', 'Hunter2', 'a.zip', 'a'],
  ['7z', 'a', '-pHunter2', 'a.7z'],
  ['vault', 'login', 'Hunter2'],
  ['rabbitmqctl', 'add_user', 'bob', 'Hunter2'],
  ['aws', 'configure', 'set', 'aws_secret_access_key', 'Hunter2'],
  ['bash', '-c', 'mysql -uroot -pHunter2 shop'],
  ['ssh', 'web-1', 'redis-cli -a Hunter2 ping'],
  ['tool', '--pass', 'Hunter2'],
  ['plink', '-pw', 'Hunter2', 'web-1'],
  ['java', '-Dspring.datasource.password=Hunter2', '-jar', 'a.jar'],
];
const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
const doubly = (word: string) => (/\s/.test(word) ? `"${word}"` : word);

describe('a secret in a command', () => {
  it.each(COMMANDS)('is in no form of it: %s %s %s %s %s', (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    const forms = [
      text(words.map(quoted).join(' ')),
      text(words.map(doubly).join(' ')),
      text(`+ ${words.map(quoted).join(' ')}; echo done`),
      text(`run ${words.join(' ')}`),
      text(`[${words.map((word) => `'${word}'`).join(', ')}]`),
      text(JSON.stringify({ argv: words })),
      JSON.stringify(json({ argv: words })),
      JSON.stringify(json({ a: [{ deep: { args: ['sudo', ...words] } }] })),
      JSON.stringify(json({ command: words[0] ?? '', args: words.slice(1) })),
      JSON.stringify(json({ rest: words.slice(1) }, words.map(quoted).join(' '))),
    ];
    for (const form of forms) expect(form).not.toContain(SECRET);
    expect(forms.map((form) => text(form))).toEqual(forms);
  });

  it.each([
    ['mysql -h db -P 3306 shop'],
    ['mysql -p shop'],
    ['docker run -p 8080:80 --name mysql -p 3306:3306 nginx'],
    ['mkdir -p /data'],
    ['ps -p 1'],
    ['ssh -p 22 web-1'],
    ['docker run -u 1000:1000 -p 80:80 shop'],
    ['curl -s -o /dev/null http://127.0.0.1:1/'],
    ['git -c user.name=bob push -u origin main'],
    ['openssl rsa -passin env:KEY_PW -in key.pem'],
    ['htpasswd -c .htpasswd bob'],
    ['vault login -method=oidc'],
    ['sqlplus / as sysdba'],
    ['redis-cli -h db ping'],
    ['tar -czf a.tgz -C /srv app'],
  ])('is not seen in %j, as a text or a list', (command) => {
    expect(text(command)).toBe(command);
    const argv = command.split(' ');
    expect(json({ argv })).toEqual({ argv });
  });
});

/** Looks for everything in every text: one's own name without a letter is in all of them. */
const thorough = createRedactor({ keys: [''] });

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

describe('the look that passes over texts without anything', () => {
  it.each(PROGRAM_NAMES)('knows %s by its name alone', (program) => {
    const flags = '-p -P -a -w -u -U -k -N -pass -passin --auth --creds --user --password';
    for (const command of [
      ...flags.split(' ').map((flag) => `${program} ${flag} a:Hunter2`),
      `/usr/bin/${program}.exe login -p Hunter2`,
      `["${program}","add_user","bob","Hunter2"]`,
    ]) {
      expect(text(command)).toBe(thorough.text(command));
    }
  });

  it('never passes over what the patterns find', () => {
    const near = fc.constantFrom(
      ...[
        'SG.',
        'sk-',
        'xoxb-',
        'hf_',
        'gsk_',
        'AIza',
        'ya29.',
        'dop_v1_',
        'gho_',
        'glrt-',
        'npm_',
      ],
      ...[
        'pypi-',
        'dckr_pat_',
        'ATATT3',
        'rk_live_',
        'whsec_',
        'xapp-1-',
        'hvs.',
        '.atlasv1.',
        'shp_',
      ],
      ...[
        '123456789:AA',
        'tskey-auth-',
        'dapi',
        'shpat_',
        'AGE-SECRET-KEY-1',
        'eyJ',
        'LS0tLS1CRUdJTi',
      ],
      ...['hooks.slack.com/services/', 'api.telegram.org/bot', '?sig=', '&signature=', '/hooks/'],
      ...['M', '.', 'a1B2c3D4e5'.repeat(5), 'A1'.repeat(9), 'abcdef', 'f0'.repeat(32), '@', '://'],
      ...[
        'pw',
        'psw',
        'PWD',
        'pass',
        'key',
        'auth',
        'cookie',
        'echo ',
        '| passwd',
        'identified by ',
      ],
      ...['requirepass ', 'masterauth ', '=', ': ', ' ', '"', '\n', '-', '_', 'x', 'é', '\u2028'],
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(near, part), { maxLength: 12 }), (parts) => {
        const line = parts.join('');
        expect(text(line)).toBe(thorough.text(line));
      }),
      { numRuns: 3_000 },
    );
  });

  const HEX = 'f0'.repeat(32);
  const MIXED = 'a1B2c3D4e5'.repeat(8);
  it.each([
    ...[`AKIA${'A1'.repeat(8)}`, `ASIA${'A1'.repeat(8)}`, `AIza${MIXED.slice(0, 35)}`],
    ...[`ya29.${MIXED}`, `GOCSPX-${MIXED}`, `dop_v1_${HEX}`, `doo_v1_${HEX}`, `dor_v1_${HEX}`],
    ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'].map((begin) => begin + MIXED),
    ...['pat', 'dt', 'rt', 'cbt', 'ptt', 'ft', 'soat', 'agent', 'imt'].map(
      (kind) => `gl${kind}-${MIXED}`,
    ),
    ...[`npm_${MIXED.slice(0, 36)}`, `pypi-${MIXED}`, `rubygems_${HEX.slice(16)}`],
    ...[`dckr_pat_${MIXED}`, `dckr_oat_${MIXED}`, `ATATT3${MIXED}`, `SG.${MIXED}.${MIXED}`],
    ...['rk_live_', 'sk_test_', 'rk_test_', 'whsec_', 'xoxa-', 'xoxe-', 'xapp-1-'].map(
      (begin) => begin + MIXED,
    ),
    ...[`123456789:AA${MIXED}`, `M${MIXED.slice(0, 23)}.abcdef.${MIXED}`],
    ...['sk-', 'hf_', 'gsk_', 'hvs.', 'hvb.', 'hvr.', 'tskey-auth-'].map((begin) => begin + MIXED),
    ...[`a1B2c3D4e5a1B2.atlasv1.${MIXED}`, `glsa_${MIXED}`, `dapi${HEX.slice(32)}`],
    ...['at', 'ss', 'ca', 'pa'].map((kind) => `shp${kind}_${HEX.slice(32)}`),
    ...[`AGE-SECRET-KEY-1${'A1'.repeat(20)}`, `LS0tLS1CRUdJTi${MIXED}`],
  ])('never passes over %s', (token) => {
    expect(text(token)).toBe('[redacted]');
    expect(text(`got ${token} back`)).toBe('got [redacted] back');
  });

  it.each([
    ['hooks.slack.com/services/', 'discord.com/api/webhooks/', 'x.webhook.office.com/webhookb2/'],
    ['outlook.office.com/webhook/', 'api.telegram.org/bot', 'hooks.zapier.com/hooks/'],
    ['maker.ifttt.com/trigger/a/with/key/', 'open.feishu.cn/open-apis/bot/v2/hook/'],
    ['events.pagerduty.com/integration/', 'hc-ping.com/', 'webhook.site/', 'x.example/hooks/'],
    ['a?sig=', 'a&signature=', 'a?X-Amz-Signature=', 'a&X-Goog-Signature=', 'a;X-Amz-Credential='],
    ['/webhook/send?key=', '/robot/send?a=b&key=', 'bearer ', 'Authorization: '],
  ])('never passes over what stands behind %s, %s, %s or %s', (...begins) => {
    for (const begin of begins.filter((own) => own !== undefined)) {
      expect(text(`${begin}${MIXED}`)).toBe(`${begin}[redacted]`);
    }
  });

  it('knows names of one’s own that are short, have stars, or are no ASCII', () => {
    const own = createRedactor({ keys: ['q', 'zz', 'pin', '*a*b*', 'ключ'] });
    for (const name of ['q', 'a_zz', 'zz', 'pin', 'PIN', 'a-b', 'ключ', 'мой_ключ']) {
      expect(own.json({ [name]: 'Hunter2' })).toEqual({ [name]: '[redacted]' });
    }
    expect(own.text('zz=Hunter2 pin=Hunter2')).toBe('zz=[redacted] pin=[redacted]');
  });
});

describe('a secret by the names that people use', () => {
  it.each([
    ['+ DB_PASS=Hunter2'],
    ['+ MYSQL_PWD=Hunter2 mysqladmin status'],
    ['ansible_ssh_pass=Hunter2'],
    ['ansible_become_pass: Hunter2'],
    ['AccountName=a;AccountKey=Hunter2==;EndpointSuffix=core.windows.net'],
    ['Server=db;Uid=sa;Pwd=Hunter2;Database=shop'],
    ['DRIVER={x};UID=sa;PWD=Hunter2'],
    ['pwd=Hunter2'],
    ['dbPass=Hunter2'],
    ['dbpass = Hunter2'],
    ['smtp.pass=Hunter2'],
    ['{"pass": "Hunter2", "user": "bob"}'],
    ['{"sshPass":"Hunter2"}'],
    ["'db_pass' => 'Hunter2',"],
    ['export REDIS_PW=Hunter2'],
    ['posting to https://hooks.slack.com/services/T0/B0/Hunter2'],
    ['POST https://discord.com/api/webhooks/123456/Hunter2Hunter2'],
    ['https://api.telegram.org/bot123456789:Hunter2/sendMessage'],
    ['https://x.webhook.office.com/webhookb2/Hunter2@x/IncomingWebhook/y'],
    ['https://x.blob.core.windows.net/a?sv=2024&sig=Hunter2%2Bx%3D&se=2026'],
    ['https://b.s3.amazonaws.com/a?X-Amz-Signature=Hunter2Hunter2'],
    ['< set-cookie: sid=Hunter2; Path=/; HttpOnly'],
    ['Cookie: a=b; sid=Hunter2'],
    ["ALTER USER bob IDENTIFIED BY 'Hunter2'"],
    ["CREATE USER bob WITH PASSWORD 'Hunter2'"],
    ['requirepass Hunter2'],
    ['.dockerconfigjson: Hunter2'],
    ['masterauth Hunter2'],
    ['credential=Hunter2'],
    ['psw=Hunter2'],
    ['echo Hunter2 | cryptsetup luksOpen /dev/sdb data'],
    ['printf Hunter2 | cryptsetup luksOpen /dev/sdb data'],
    ['machine x login bob password Hunter2'],
    ['A temporary password is generated for root@localhost: Hunter2'],
    ["echo 'root:Hunter2' | chpasswd"],
    ['echo Hunter2 | docker login -u bob --password-stdin x'],
    ['DB_PASS=\u001b[33mHunter2\u001b[0m'],
    ['\u001b[34m"token"\u001b[0m: \u001b[32m"Hunter2"\u001b[0m'],
    ['--pass\u001b[1mword=Hun\u001b[0mter2'],
    ['\u001b]8;;https://bob:Hunter2@x/\u0007link\u001b]8;;\u0007'],
  ])('is not stored of %j', (line) => {
    const once = text(line);
    expect(once).not.toContain(SECRET);
    expect(once).not.toMatch(/ter2/);
    expect(text(once)).toBe(once);
  });

  it.each([
    ['OpenAI', `sk-proj-${'a1B2'.repeat(10)}`],
    ['Anthropic', `sk-ant-api03-${'a1B2'.repeat(10)}`],
    ['GitLab runner', `glrt-${'a1'.repeat(10)}`],
    ['PyPI', `pypi-${'AgEIc'.repeat(12)}`],
    ['Stripe webhook', `whsec_${'a1'.repeat(16)}`],
    ['Telegram bot', `123456789:AA${'Hx'.repeat(17)}`],
    ['SendGrid', `SG.${'a1'.repeat(11)}.${'b2'.repeat(20)}`],
    ['Vault', `hvs.${'Ca1'.repeat(10)}`],
    ['Google', `ya29.${'a0A'.repeat(10)}`],
    ['Docker', `dckr_pat_${'a1'.repeat(13)}`],
    ['a key in base64', Buffer.from('-----BEGIN RSA PRIVATE KEY-----\nMIIE').toString('base64')],
  ])('is known by its look: %s', (_service, token) => {
    expect(text(`got ${token} back`)).toBe('got [redacted] back');
  });

  it.each([
    ['stays: PWD=/data/app OLDPWD=/ passed=12 bypass=1'],
    ['compass=north encompass=1 pass_rate=99 tests passed: 12'],
    ['Password: '],
    ['token_count=5 max_tokens=4096'],
    ['POSTGRES_PASSWORD_FILE=/run/secrets/db'],
    ['no cookie: try again'],
    ['pass=12 fail=0'],
    ['https://docs.example.net/hooks/intro'],
    ['task-sk-1 sk-learn-contrib is installed'],
    ['\u001b[32mpassed\u001b[0m 12 of 12'],
    ['Bearer of bad news'],
  ])('is not seen in %j', (line) => {
    expect(text(line)).toBe(line);
  });

  it('is known in params and labels, which have counts and paths too', () => {
    expect(
      json({
        db_pass: 'x',
        Pwd: 'x',
        PWD: '/srv',
        token_count: 5,
        secretName: 'a',
        env: { REDIS_PW: 'x' },
      }),
    ).toEqual({
      db_pass: '[redacted]',
      Pwd: '[redacted]',
      PWD: '/srv',
      token_count: 5,
      secretName: 'a',
      env: { REDIS_PW: '[redacted]' },
    });
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
