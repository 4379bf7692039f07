/** The documentation says what is: links lead somewhere, commands exist, generated parts are fresh. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { buildSchema, isInputObjectType, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { OPTIONS } from '../src/config-options.ts';
import { ERROR_CODES, PROBLEM_CODES } from '../src/domain/errors.ts';
import { Names } from '../src/store/elasticsearch/indices/names.ts';
import { roleFor } from '../src/store/elasticsearch/indices/privileges.ts';

const ROOT = resolve(import.meta.dirname, '..');
const pages = [
  'README.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');

describe('the documentation', () => {
  it('links only to files that are there', () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, target]) => target as string)
        .filter((target) => !existsSync(resolve(ROOT, dirname(page), target)))
        .map((target) => `${page} → ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('names only files of the sources that are there', () => {
    const missing = pages.flatMap((page) => {
      const text = read(page);
      const named = [...text.matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.ts)`/g)].map(
        ([, path]) => path as string,
      );
      const places = ['', 'src', 'src/store/sqlite', 'src/store/elasticsearch', 'test'];
      return named
        .filter((path) => !places.some((place) => existsSync(join(ROOT, place, path))))
        .map((path) => `${page}: ${path}`);
    });
    expect(missing).toEqual([]);
  });

  it('draws each engine with files that are in its rooms', () => {
    const text = read('docs/architecture.md');
    for (const engine of ['sqlite', 'elasticsearch']) {
      const folder = join(ROOT, 'src/store', engine);
      const picture = text.slice(text.indexOf(`(\`src/store/${engine}/\`)`)).split('```')[1] ?? '';
      const files = new Set(
        readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => basename(path)),
      );
      const drawn = [...picture.matchAll(/[a-z-]+\.ts/g)].map(([name]) => name);
      expect(drawn.length).toBeGreaterThan(10);
      expect(drawn.filter((name) => !files.has(name))).toEqual([]);
    }
  });

  it('names every option and every error code', () => {
    const readme = read('README.md');
    const errors = read('docs/errors.md');
    const missing = [
      ...Object.values(OPTIONS).filter(({ env }) => !readme.includes(`\`${env}\``)),
      ...[...Object.keys(ERROR_CODES), ...Object.keys(PROBLEM_CODES)].filter(
        (code) => !errors.includes(`\`${code}\``),
      ),
    ];
    expect(missing).toEqual([]);
  });

  it('uses only npm scripts and commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const help = execFileSync(join(ROOT, 'bin/shiplog.js'), ['--help'], { encoding: 'utf8' });
    const commands = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name as string);
    const text = pages.map(read).join('\n');
    for (const [, script] of text.matchAll(/npm run ([a-z:-]+)/g)) {
      expect(Object.keys(scripts)).toContain(script);
    }
    for (const [, command] of text.matchAll(
      /(?:`|^|\$ )(?:\.\/bin\/shiplog\.js|shiplog) ([a-z]+)/gm,
    )) {
      expect(commands).toContain(command);
    }
  });

  it('lists every field of an event', () => {
    const event = buildSchema(read('schema.graphql')).getType('StepEventInput');
    if (!isInputObjectType(event)) throw new Error('no StepEventInput');
    const page = read('docs/reporting.md');
    const missing = Object.keys(event.getFields()).filter(
      (name) => !page.includes(`| \`${name}\``),
    );
    expect(missing).toEqual([]);
  });

  it('shows GraphQL that the schema accepts', () => {
    const schema = buildSchema(read('schema.graphql'));
    const operations = pages.flatMap((page) =>
      [...read(page).matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, source]) => source as string),
    );
    expect(operations.length).toBeGreaterThan(0);
    for (const source of operations) expect(validate(schema, parse(source))).toEqual([]);
  });

  it('tells the privileges that Shiplog asks for', () => {
    const page = read('docs/elasticsearch.md');
    const [, role = ''] = /## Privileges[\s\S]*?```json\n([\s\S]*?)```/.exec(page) ?? [];
    expect(JSON.parse(role)).toEqual(roleFor(new Names('shiplog')));
  });
});
