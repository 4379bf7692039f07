/** Nothing is promised that no case proves: sentences of the port carry numbers, and cases name them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const PORT = readFileSync(new URL('../../src/store/store.ts', import.meta.url), 'utf8');
const NUMBER = /[A-Z]\d+/g;

/** `[A1]`, and in a title `[A1 A4]`. */
function numbersIn(text: string): string[] {
  return [...text.matchAll(/\[([A-Z]\d+(?: [A-Z]\d+)*)\]/g)].flatMap(
    ([, list]) => list?.match(NUMBER) ?? [],
  );
}

const FOLDERS = ['./', '../e2e/', '../domain/'].map((path) => new URL(path, import.meta.url));

/** The titles of cases in a text, also of those in a loop. */
function titlesIn(text: string): string[] {
  return [...text.matchAll(/\bit(?:\.for\(\w+\))?\(\s*(['"`])([\s\S]*?)\1,/g)].map(
    ([, , title]) => title ?? '',
  );
}

const promised = new Set(numbersIn(PORT));
const proven = new Set(
  FOLDERS.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.ts') && file !== 'port-sentences.test.ts')
      .flatMap((file) => titlesIn(readFileSync(new URL(file, folder), 'utf8')).flatMap(numbersIn)),
  ),
);

describe('The sentences of the port', () => {
  it('each have a case that proves them', () => {
    expect([...promised].filter((number) => !proven.has(number))).toEqual([]);
  });

  it('are the only ones that cases name', () => {
    expect([...proven].filter((number) => !promised.has(number))).toEqual([]);
  });

  it('leave no method of the store without one', () => {
    const body = PORT.slice(PORT.indexOf('export interface Store {'));
    const members = [
      ...body.matchAll(/(?:\/\*\*([\s\S]*?)\*\/\s*)?\n {2}(?:readonly )?(\w+)[(:]/g),
    ];
    expect(members.length).toBeGreaterThan(25);
    const silent = members.filter(([, comment]) => numbersIn(comment ?? '').length === 0);
    // What is said of these is their name; runs and steps are said of together with tasks.
    expect(silent.map(([, , name]) => name)).toEqual([
      ...['engine', 'appendLimits', 'runsByKey', 'steps', 'stepsByKey', 'hosts', 'hostsByName'],
      ...['health', 'close'],
    ]);
  });
});
