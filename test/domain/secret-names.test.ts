import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/domain/redact/redact.ts';

const { text, json } = createRedactor();

const SECRET = 'Hunter2';

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
