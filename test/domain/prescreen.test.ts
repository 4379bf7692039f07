/** The quick look that passes over texts without secrets: it never passes over one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROGRAM_NAMES } from '../../src/domain/redact/command-secrets.ts';
import { createRedactor } from '../../src/domain/redact/redact.ts';
import { part } from './redact-parts.ts';

const { text } = createRedactor();

/** Looks for everything in every text: one's own name without a letter is in all of them. */
const thorough = createRedactor({ keys: [''] });

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
