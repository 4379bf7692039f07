/** Who may import whom: the table of docs/architecture.md, held against the import lines. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');

/** Layer → what it may import besides itself. `log` is a type everybody may know. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  'store/store.ts': ['domain'],
  'store/sqlite': ['domain', 'store/store.ts', 'log.ts', 'guarded.ts', 'make-directory.ts'],
  'store/elasticsearch': ['domain', 'store/store.ts', 'log.ts', 'guarded.ts', 'signal.ts'],
  'store/open-store.ts': [
    'domain',
    'store/store.ts',
    'store/sqlite',
    'store/elasticsearch',
    'config',
    'log.ts',
    'guarded.ts',
  ],
  tail: ['domain', 'store/store.ts', 'log.ts', 'guarded.ts', 'signal.ts', 'pull-iterator.ts'],
  ingest: ['domain', 'store/store.ts', 'log.ts', 'guarded.ts', 'signal.ts'],
  senders: ['domain', 'ingest', 'log.ts', 'http/body/growing-buffer.ts'],
  graphql: [
    'domain',
    'store/store.ts',
    'ingest',
    'tail',
    'log.ts',
    'guarded.ts',
    'pull-iterator.ts',
  ],
  http: ['graphql', 'senders', 'ingest', 'domain', 'log.ts', 'guarded.ts', 'signal.ts'],
  config: ['domain'],
  'log.ts': [],
  'guarded.ts': [],
  'make-directory.ts': [],
  'signal.ts': [],
  'pull-iterator.ts': [],
  'app.ts': [
    'domain',
    'store/store.ts',
    'store/open-store.ts',
    'ingest',
    'senders',
    'tail',
    'graphql',
    'http',
    'config',
    'log.ts',
    'guarded.ts',
  ],
  cli: [
    'domain',
    'config',
    'app.ts',
    'store/open-store.ts',
    'log.ts',
    'signal.ts',
    'make-directory.ts',
    'senders',
  ],
  'main.ts': ['cli', 'config'],
  // The console runs in a browser: it knows the server by its schema only.
  ui: [],
};

function layerOf(file: string): string {
  const layers = Object.keys(MAY_IMPORT).sort((a, b) => b.length - a.length);
  const layer = layers.find(
    (name) =>
      file === name ||
      file.startsWith(`${name}/`) ||
      (name === 'config' && /^config(-[a-z]+)?\.ts$/.test(file)),
  );
  return layer ?? `(no layer: ${file})`;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const specifiers = text.matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g);
  return [...specifiers].map(([, specifier]) =>
    relative(SRC, resolve(SRC, dirname(file), specifier as string)),
  );
}

/**
 * The rooms of a folder, the lowest first: each may import those before it, and why not the others.
 * A file of the folder itself stands above its rooms.
 */
const ROOMS: Record<string, { order: readonly string[]; why: string }> = {
  domain: {
    order: ['text', 'event', 'failure', 'fold', 'search', 'cursor', 'redact'],
    why: 'what is reported is known without what it means, and both without how it is looked for',
  },
  'store/sqlite': {
    order: ['file', 'query', 'read', 'write', 'threads'],
    why: 'reading must work in threads that cannot write',
  },
  'store/elasticsearch': {
    order: ['query', 'cluster', 'indices', 'log', 'keeper', 'health', 'views', 'doctor'],
    why: 'the log is complete without its views, and who keeps them is not the business of readers of it',
  },
  tail: {
    order: ['board', 'tasks'],
    why: 'boards and lists of tasks follow the log side by side, each could be taken out',
  },
  graphql: {
    order: ['operation', 'types'],
    why: 'what every operation goes through knows no single type',
  },
  http: {
    order: ['body', 'transports', 'endpoints'],
    why: 'a transport serves whatever endpoint it is mounted at',
  },
};

function roomOf(folder: string, file: string): string | null {
  if (!file.startsWith(`${folder}/`)) return null;
  const [room, ...rest] = file.slice(folder.length + 1).split('/');
  return rest.length > 0 ? (room as string) : null;
}

/** Thousands of items in an answer, which a schema is too slow for (`cluster/answer.ts`). */
const BY_HAND = [
  'store/elasticsearch/cluster/bulk.ts',
  'store/elasticsearch/cluster/connection.ts',
  'store/elasticsearch/cluster/documents.ts',
  'store/elasticsearch/cluster/searcher.ts',
  'store/elasticsearch/keeper/host-writer.ts',
  'store/elasticsearch/keeper/task-entries.ts',
  'store/elasticsearch/log/log-reader.ts',
];

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.tsx?$/.test(file),
);

describe('the layers', () => {
  it('import only what the table allows', () => {
    const broken = files.flatMap((file) => {
      const layer = layerOf(file);
      const allowed = MAY_IMPORT[layer] ?? [];
      return importsOf(file)
        .filter((target) => {
          const other = layerOf(target);
          if (other === layer) return false;
          return !allowed.some((name) => name === other || name === target);
        })
        .map((target) => `${file} imports ${target}`);
    });
    expect(broken).toEqual([]);
  });

  it.each(Object.entries(ROOMS))(
    'keep the rooms of %s in their order',
    (folder, { order, why }) => {
      const inside = files.filter((file) => roomOf(folder, file) !== null);
      const unknown = inside.filter((file) => !order.includes(roomOf(folder, file) as string));
      const broken = inside.flatMap((file) =>
        importsOf(file)
          .filter((target) => {
            const room = roomOf(folder, target);
            const own = order.indexOf(roomOf(folder, file) as string);
            return room !== null && order.indexOf(room) > own;
          })
          .map((target) => `${file} imports ${target}, but ${why}`),
      );
      expect([...unknown, ...broken]).toEqual([]);
    },
  );

  it('repeat nothing by a bare setInterval: what it throws would end the server, so `every` guards it', () => {
    // A command is run by one person, who is told what it throws; the console has no process to end.
    const bare = files.filter(
      (file) =>
        !/^(guarded\.ts$|cli\/|ui\/)/.test(file) &&
        /\bsetInterval\(/.test(readFileSync(join(SRC, file), 'utf8')),
    );
    expect(bare).toEqual([]);
  });

  it('believe answers of Elasticsearch by a schema: a type alone is given where a guard is written by hand', () => {
    const typed = files.filter(
      (file) =>
        file.startsWith('store/elasticsearch/') &&
        /\.(?:ask|expect)<|get(?:All)?Documents</.test(readFileSync(join(SRC, file), 'utf8')),
    );
    expect(typed.toSorted()).toEqual(BY_HAND.toSorted());
  });

  it('leave the domain pure: it imports nothing but itself and hashing', () => {
    const outside = files
      .filter((file) => file.startsWith('domain/'))
      .flatMap((file) => {
        const text = readFileSync(join(SRC, file), 'utf8');
        return [...text.matchAll(/from '([^.][^']*)'/g)]
          .map(([, name]) => name)
          .filter((name) => name !== 'node:crypto')
          .map((name) => `${file} imports ${name}`);
      });
    expect(outside).toEqual([]);
  });

  it('have no folder of leftovers', () => {
    expect(
      files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file)),
    ).toEqual([]);
  });

  it('run with what `npm ci --omit=dev` installs: no source imports a devDependency', () => {
    const { dependencies } = JSON.parse(readFileSync(resolve(SRC, '../package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const installed = new Set(Object.keys(dependencies));
    // The console is built before: its packages are in its files.
    const running = files.filter((file) => !file.startsWith('ui/'));
    const missing = running.flatMap((file) =>
      [...packagesOf(file)]
        .filter((name) => !installed.has(name))
        .map((name) => `${file} imports ${name}`),
    );
    expect(missing).toEqual([]);
  });

  const commands = [...specifiersOf('main.ts', AT_ANY_TIME)]
    .map((specifier) => /^\.\/(cli\/([a-z]+)\.ts)$/.exec(specifier))
    .filter((found) => found !== null && !specifiersOf('main.ts', AT_ONCE).includes(found[0]))
    .map((found) => ({ file: found?.[1] as string, command: found?.[2] as string }));

  it('are loaded by a command no sooner than it needs them: no command begins with the server', () => {
    expect(commands.length).toBeGreaterThan(15);
    const early = commands.flatMap(({ file, command }) =>
      [...loadedWith('main.ts'), ...loadedWith(file)]
        .filter((loaded) => /^(app\.ts$|(store|ingest|tail|graphql|http)\/)/.test(loaded))
        .map((loaded) => `shiplog ${command} begins with ${loaded}`),
    );
    expect(early).toEqual([]);
  });

  it('let the commands of a client start quickly: they load commander first and no other package', () => {
    // They read a server's settings or its mapping file.
    const withSettings = ['serve', 'backup', 'rebuild', 'doctor', 'mapping', 'import', 'docker'];
    const slow = commands
      .filter(({ command }) => !withSettings.includes(command))
      .flatMap(({ file, command }) =>
        [...loadedWith('main.ts'), ...loadedWith(file)]
          .flatMap((loaded) => [...packagesOf(loaded, AT_ONCE)])
          .filter((name) => name !== 'commander')
          .map((name) => `shiplog ${command} begins with ${name}`),
      );
    expect(slow).toEqual([]);
  });
});

/** What is imported before a file runs; types alone are stripped. */
const AT_ONCE = /(?:^(?:import|export|\})[^;']*from |^import )'([^']*)'/gm;
const AT_ANY_TIME = /(?:^(?:import|export|\})[^;']*from |^import |\bimport\()'([^']*)'/gm;

function specifiersOf(file: string, imports: RegExp): string[] {
  const text = readFileSync(join(SRC, file), 'utf8').replace(/^(import|export) type [^;]*;/gms, '');
  return [...text.matchAll(imports)].map(([, specifier]) => specifier as string);
}

/** The file with all of ours that is loaded before it runs. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const specifier of specifiersOf(file, AT_ONCE)) {
    if (specifier.startsWith('.')) loadedWith(join(dirname(file), specifier), seen);
  }
  return seen;
}

/** Names of the packages that a file imports. */
function packagesOf(file: string, imports = AT_ANY_TIME): Set<string> {
  const names = specifiersOf(file, imports)
    .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map((specifier) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  return new Set(names);
}
