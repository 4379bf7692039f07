import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchedTexts, WORD_MAX, words, wordsOf } from '../../src/domain/search/words.ts';
import { cpuMs } from '../support/cpu-ms.ts';

describe('words', () => {
  it.each([
    ['', []],
    ['  -- !', []],
    ['Hello, World', ['hello', 'world']],
    ['10.0.0.7', ['10', '0', '0', '7']],
    ['/data/app/conf.d', ['data', 'app', 'conf', 'd']],
    ['snake_case-and camelCase', ['snake', 'case', 'and', 'camelcase']],
    ['连接超时', ['连', '接', '超', '时']],
    ['nginx重启failed', ['nginx', '重', '启', 'failed']],
    ['サーバー', ['サ', 'ー', 'バ', 'ー']],
    ['한국', ['한', '국']],
    ['ＡＢＣ１２', ['abc12']],
    ['ﬁle', ['file']],
    ['ÉTÉ', ['été']],
    ['ΣΑΣ', ['σασ']],
    ['Straße STRASSE STRAẞE', ['strasse', 'strasse', 'strasse']],
    ['İ ı I', ['i\u0307', 'i', 'i']],
    ['ŉ ǰ և', ['ʼn', 'ǰ', 'եւ']],
    ['½', ['12']],
    ['ok ✔️ 👍🏽', ['ok']],
    ['𠮷野', ['𠮷', '野']],
  ])('of %j are %j', (text, expected) => {
    expect(wordsOf(text)).toEqual(expected);
    expect(words(text).map(({ word }) => word)).toEqual(expected);
  });

  it('are the same for composed and decomposed letters, full width and half width', () => {
    expect(wordsOf('e\u0301te\u0301')).toEqual(wordsOf('\u00e9t\u00e9'));
    expect(wordsOf('한국'.normalize('NFD'))).toEqual(wordsOf('한국'));
    expect(wordsOf('\uff76\uff9e')).toEqual(wordsOf('\u30ac'));
  });

  it('are the same in capitals and in small letters, for every letter there is', () => {
    const differs: string[] = [];
    for (let point = 0; point <= 0x10ffff; point++) {
      const letter = String.fromCodePoint(point);
      if (!/^\p{L}$/u.test(letter)) continue;
      const folded = wordsOf(letter).join(' ');
      const forms = [letter.toUpperCase(), letter.toLowerCase()];
      if (forms.some((form) => wordsOf(form).join(' ') !== folded)) differs.push(letter);
    }
    expect(differs).toEqual([]);
  });

  it('are found fast in ASCII exactly as in any text', () => {
    const ascii = fc.string({ unit: 'binary-ascii', maxLength: 400 });
    fc.assert(
      fc.property(ascii, (text) => {
        expect(wordsOf(text)).toEqual(words(text).map(({ word }) => word));
        // One other character before it sends the whole text the general way.
        expect(wordsOf(`é ${text}`)).toEqual(['é', ...wordsOf(text)]);
      }),
    );
  });

  it.each([
    ['\u001b[31mERROR\u001b[0m disk full', ['error', 'disk', 'full']],
    ['err\u001b[1mor\u001b[0m in line 7', ['error', 'in', 'line', '7']],
    ['\u001b[38;5;196mok\u001b[m\u001b[K', ['ok']],
    ['\u001b[38:2::255:0:0mtrue colour\u001b[0m', ['true', 'colour']],
    ['\u001b]8;;https://x.example/a\u001b\\a link\u001b]8;;\u001b\\ end', ['a', 'link', 'end']],
    ['\u001b]0;a title\u0007shown', ['shown']],
    ['\u001b]0;no end\nnext line', ['next', 'line']],
    ['\u001bP1$r0m\u001b\\dcs \u001b_apc\u001b\\gone', ['dcs', 'gone']],
    ['\u001b(Bplain \u001bcreset \u001b7saved', ['plain', 'reset', 'saved']],
    ['\u009b31mred\u009b0m \u009d0;t\u009cé', ['red', 'é']],
    ['\u001b[2K\u001b[1Gprogress 7\u001b[', ['progress', '7']],
    ['连\u001b[1m接\u001b[0m', ['连', '接']],
  ])('of coloured text are those that are seen: %j', (text, expected) => {
    expect(wordsOf(text)).toEqual(expected);
    expect(words(text).map(({ word }) => word)).toEqual(expected);
  });

  it('of coloured text stand on what is seen', () => {
    const places = (text: string) => words(text).map(({ start, end }) => text.slice(start, end));
    expect(places('\u001b[31mERROR\u001b[0m disk\u001b[K full')).toEqual(['ERROR', 'disk', 'full']);
    expect(places('err\u001b[1mor\u001b[0m in')).toEqual(['err\u001b[1mor', 'in']);
  });

  it('take no longer where a text is nothing but broken escape codes', () => {
    for (const unit of [
      '\u001b]8;;',
      '\u001b[',
      '\u001b[1',
      '\u001b ',
      '\u009b;',
      '\u001bP\u001b[',
    ]) {
      const begin = cpuMs();
      wordsOf(unit.repeat(65_536 / unit.length));
      words(`é${unit.repeat(65_536 / unit.length)}x`);
      expect(cpuMs() - begin).toBeLessThan(1_000);
    }
  });

  it('stand where their offsets say, in order, without overlap', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        let last = 0;
        for (const { word, start, end } of words(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(wordsOf(text.slice(start, end))).toContain(word);
          expect(word).toMatch(/^[\p{L}\p{N}\p{M}]+$/u);
          last = end;
        }
      }),
    );
  });

  it('longer than the cap are cut, never inside a surrogate pair', () => {
    expect(wordsOf('x'.repeat(5_000))).toEqual(['x'.repeat(WORD_MAX)]);
    const [gothic] = wordsOf(`a${'𐌰'.repeat(300)}`);
    expect(gothic?.length).toBe(WORD_MAX - 1);
    expect(gothic?.isWellFormed()).toBe(true);
  });

  it('come from the message, the command and the error, apart', () => {
    const none = { message: null, command: null, error: null };
    expect(searchedTexts(none)).toEqual([]);
    expect(
      searchedTexts({ message: 'm', command: 'c', error: { code: 'E1', message: 'gone' } }),
    ).toEqual(['m', 'c', 'E1 gone']);
    expect(searchedTexts({ ...none, error: { code: null, message: 'gone' } })).toEqual(['gone']);
  });
});
