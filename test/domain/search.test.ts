import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShiplogError } from '../../src/domain/errors.ts';
import type { LogEvent } from '../../src/domain/event/event.ts';
import { parseStepEvent } from '../../src/domain/event/input.ts';
import {
  highlights,
  matchesSearch,
  parseSearch,
  type SearchQuery,
} from '../../src/domain/search/search.ts';
import { searchedTexts, wordsOf } from '../../src/domain/search/words.ts';
import { matchesTaskSearch } from '../store/oracle.ts';
import { cpuMs } from '../support/cpu-ms.ts';

function event(fields: Record<string, unknown>): LogEvent {
  const parsed = parseStepEvent({ taskId: 't', host: 'web-1', step: 'download', ...fields }, 0);
  if (!parsed.ok) throw new Error(parsed.problem.message);
  return parsed.event;
}
function search(text: string): SearchQuery {
  const query = parseSearch(text);
  if (query === null) throw new Error('blank');
  return query;
}
function refusal(text: string): ShiplogError {
  try {
    parseSearch(text);
  } catch (error) {
    return error as ShiplogError;
  }
  throw new Error(`${text} was taken`);
}
const found = (text: string, fields: Record<string, unknown>) =>
  matchesSearch(search(text), event(fields));

describe('a search text', () => {
  it('that is blank is no search', () => {
    expect(parseSearch('')).toBeNull();
    expect(parseSearch(' \t\n')).toBeNull();
  });

  it.each([
    ['word', { kind: 'words', words: ['word'], prefix: false, negated: false }],
    ['"a Phrase"', { kind: 'words', words: ['a', 'phrase'], prefix: false, negated: false }],
    ['pre*', { kind: 'words', words: ['pre'], prefix: true, negated: false }],
    ['"two pre"*', { kind: 'words', words: ['two', 'pre'], prefix: true, negated: false }],
    ['10.0.0.*', { kind: 'words', words: ['10', '0', '0'], prefix: false, negated: false }],
    ['-not', { kind: 'words', words: ['not'], prefix: false, negated: true }],
    ['--force', { kind: 'words', words: ['force'], prefix: false, negated: false }],
    ['http://x', { kind: 'words', words: ['http', 'x'], prefix: false, negated: false }],
    ['12:30', { kind: 'words', words: ['12', '30'], prefix: false, negated: false }],
    ['foo:"b c"', { kind: 'words', words: ['foo', 'b', 'c'], prefix: false, negated: false }],
    [
      'level:error',
      { kind: 'field', field: 'level', value: 'ERROR', prefix: false, negated: false },
    ],
    [
      'Stream:stdErr',
      { kind: 'field', field: 'stream', value: 'STDERR', prefix: false, negated: false },
    ],
    ['-host:web-1*', { kind: 'field', field: 'host', value: 'web-1', prefix: true, negated: true }],
    [
      'source:"a b\\"c*"',
      { kind: 'field', field: 'source', value: 'a b"c*', prefix: false, negated: false },
    ],
  ])('%s is one term', (text, term) => {
    expect(search(text).terms).toEqual([term]);
  });

  it.each([
    ['ab "open', 4, 'not closed'],
    ['level:"x', 7, 'not closed'],
    ['a -', 3, '"-"'],
    ['- a', 1, '"-"'],
    ['a *', 3, '"*"'],
    ['-*', 2, '"*"'],
    ['a*b', 2, '"*"'],
    ['host:', 1, 'needs a value'],
    ['x host:"" y', 3, 'needs a value'],
    ['host:*', 1, 'needs a value'],
    ['level:loud', 7, 'TRACE, DEBUG'],
    ['status:FAIL*', 8, 'PENDING'],
    ['a --', 3, 'no letter'],
    ['!!!', 1, 'no letter'],
    ['"a"b', 4, 'space'],
    ['a \ud800', 3, 'surrogate'],
    ['x'.repeat(1_001), 1_001, 'longer'],
    ['x '.repeat(33), 65, 'more than 32'],
  ])('%j is refused at column %i', (text, column, why) => {
    const error = refusal(text);
    expect(error.code).toBe('SEARCH_SYNTAX');
    expect(error.field).toBe('search');
    expect(error.message).toContain(`column ${column}:`);
    expect(error.message).toContain(why);
  });

  it('of any shape is parsed or refused, never a fault', () => {
    const part = fc.constantFrom(
      '"',
      '*',
      '-',
      ':',
      '\\',
      ' ',
      'level',
      'host',
      'a',
      '连',
      '\ud800',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (input) => {
        try {
          for (const term of parseSearch(input)?.terms ?? []) {
            expect(term.kind === 'field' ? term.value : term.words).not.toHaveLength(0);
          }
        } catch (error) {
          expect((error as ShiplogError).code).toBe('SEARCH_SYNTAX');
        }
      }),
    );
  });
});

describe('a search finds', () => {
  it.each([
    ['timeout', { message: 'connect Timeout' }, true],
    ['time', { message: 'connect timeout' }, false],
    ['time*', { message: 'connect timeout' }, true],
    ['10.0.0.7', { message: 'to 10.0.0.7:80' }, true],
    ['10.0.0.7', { message: 'to 10.0.7.0' }, false],
    ['超时', { message: '连接超时' }, true],
    ['时超', { message: '连接超时' }, false],
    ['conf.d', { command: 'cat /data/app/conf.d' }, true],
    ['E42', { error: { code: 'E42', message: 'x' } }, true],
    ['"one two"', { message: 'one', command: 'two' }, false],
    ['one two', { message: 'one', command: 'two' }, true],
    ['-two', { message: 'one', command: 'two' }, false],
    ['-three', { message: 'one' }, true],
    ['-x', { status: 'RUNNING' }, true],
    ['level:error', { status: 'FAILED' }, true],
    ['level:error', { message: 'm', level: 'FATAL' }, false],
    ['host:web*', { message: 'm' }, true],
    ['host:web', { message: 'm' }, false],
    ['-step:download', { message: 'm' }, false],
    ['status:failed', { message: 'm' }, false],
    ['-status:failed', { message: 'm' }, true],
    ['source:agent/*', { message: 'm', source: 'agent/1.4.2' }, true],
  ])('%s in %j: %s', (text, fields, expected) => {
    expect(found(text, fields)).toBe(expected);
  });

  it('exactly what a plain reading of its terms finds', () => {
    const word = fc.constantFrom('a', 'ab', 'abc', 'b', '超', '1');
    const text = fc.array(word, { minLength: 1, maxLength: 6 }).map((all) => all.join(' '));
    const term = fc.record({
      words: fc.array(word, { minLength: 1, maxLength: 3 }),
      prefix: fc.boolean(),
      negated: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 4 }), text, text, (terms, m, c) => {
        const written = terms
          .map((t) => `${t.negated ? '-' : ''}"${t.words.join(' ')}"${t.prefix ? '*' : ''}`)
          .join('\n');
        const subject = event({ message: m, command: c });
        const plain = terms.every((t) => {
          const wanted = `|${t.words.flatMap(wordsOf).join('|')}${t.prefix ? '' : '|'}`;
          return (
            searchedTexts(subject).some((own) => `|${wordsOf(own).join('|')}|`.includes(wanted)) !==
            t.negated
          );
        });
        expect(matchesSearch(search(written), subject)).toBe(plain);
      }),
    );
  });

  it('tasks by words of their texts, and by the values of fields', () => {
    const texts = ['deploy-7', 'Web shop', null, 'prod'];
    expect(matchesTaskSearch(search('web prod'), texts)).toBe(true);
    expect(matchesTaskSearch(search('"shop prod"'), texts)).toBe(false);
    expect(matchesTaskSearch(search('environment:prod'), texts)).toBe(true);
    expect(matchesTaskSearch(search('-environment:prod'), texts)).toBe(false);
    expect(matchesTaskSearch(search('source:"--"'), texts)).toBe(false);
  });
});

describe('what was copied from a terminal', () => {
  it.each([
    '\u001b[31mERROR\u001b[0m disk full',
    'ERROR disk full',
    '"\u001b[31mERROR\u001b[0m disk"',
  ])('finds its line: %j', (text) => {
    expect(found(text, { message: '\u001b[31mERROR\u001b[0m disk full' })).toBe(true);
    expect(found(text, { message: '\u001b[32mok\u001b[0m' })).toBe(false);
  });

  it('is blank where it is escape codes alone', () => {
    expect(parseSearch('\u001b[0m \u001b[K')).toBeNull();
  });
});

describe('highlights', () => {
  it('are the first hundred of each term, so that a text of nothing else costs little', () => {
    const text = 'again '.repeat(10_000);
    const begin = cpuMs();
    const found = highlights(search('again '.repeat(32)), text);
    expect(cpuMs() - begin).toBeLessThan(500);
    expect(found).toHaveLength(100);
    expect(found.at(-1)).toEqual({ start: 594, end: 599 });
  });

  it('are where the wanted words stand, merged', () => {
    const marked = (query: string, text: string) =>
      highlights(search(query), text).map(({ start, end }) => text.slice(start, end));
    expect(marked('time*', 'Timeout, timer; TIME')).toEqual(['Timeout', 'timer', 'TIME']);
    expect(marked('10.0.0.7', 'to 10.0.0.7:80')).toEqual(['10.0.0.7']);
    expect(marked('超时 接', '𠮷连接超时')).toEqual(['接超时']);
    expect(marked('"a b" "b c"', 'a b c')).toEqual(['a b c']);
    expect(marked('-a level:info', 'a')).toEqual([]);
    expect(marked('error', '\u001b[31mERROR\u001b[0m disk')).toEqual(['ERROR']);
    expect(marked('"error disk"', '\u001b[31mERROR\u001b[0m disk')).toEqual([
      'ERROR\u001b[0m disk',
    ]);
    expect(marked('err*', 'err\u001b[1mor\u001b[0m')).toEqual(['err\u001b[1mor']);
  });

  it('are sorted, apart, and inside the text', () => {
    const text = fc.array(fc.constantFrom('a', 'b', ' ', '超', '.')).map((all) => all.join(''));
    fc.assert(
      fc.property(text, (own) => {
        let last = -1;
        for (const { start, end } of highlights(search('a* 超 "a b"'), own)) {
          expect(start).toBeGreaterThan(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(own.length);
      }),
    );
  });
});
