/**
 * The console: one page for the addresses of all views, and the files that it is made of. Nothing is
 * read, or built, before somebody opens it.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShiplogError } from '../../domain/errors.ts';
import { builtConsole } from '../console-build.ts';
import { pageHeaders } from '../reply.ts';
import type { Route } from '../route.ts';
import { FOR_EVER, type StaticFile, sendFile } from '../static-file.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** First segments of the views' addresses, besides `/` itself. */
const VIEWS = new Set(['tasks', 'search', 'steps', 'hosts']);
const FOLDER = '/assets/';
const PAGE = '/index.html';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The route of a view or of a file; null: the address is not the console's. */
export function consoleRoutes(onFault: (error: unknown) => void): (path: string) => Route | null {
  let reading: Promise<ReadonlyMap<string, StaticFile>> | null = null;
  async function file(path: string): Promise<StaticFile> {
    reading ??= readFiles();
    let files: ReadonlyMap<string, StaticFile>;
    try {
      files = await reading;
    } catch (error) {
      reading = null;
      onFault(error);
      throw new ShiplogError('INTERNAL', 'The console could not be built; the log says why.');
    }
    const found = files.get(path);
    if (found === undefined) throw new ShiplogError('NOT_FOUND', `Nothing is at ${path}`);
    return found;
  }
  const page = route('/', () => file(PAGE), pageHeaders(POLICY));
  return (path) => {
    if (path === '/' || VIEWS.has(path.split('/')[1] ?? '')) return page;
    if (path.startsWith(FOLDER)) {
      return route('/assets/*', () => file(path), { 'cache-control': FOR_EVER });
    }
    if (path === '/icon.svg') {
      return route(path, () => file(path), { 'cache-control': 'max-age=86400' });
    }
    return null;
  };
}

function route(
  name: string,
  file: () => Promise<StaticFile>,
  headers: Record<string, string>,
): Route {
  return {
    name,
    methods: ['GET'],
    access: 'open',
    errors: 'plain',
    async handle({ request, response }) {
      sendFile(request, response, await file(), headers);
    },
  };
}

/** By the path of their address. */
async function readFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const folder = await builtConsole();
  const names = await readdir(folder, { recursive: true });
  const files = new Map<string, StaticFile>();
  for (const name of names) {
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
    if (type === undefined) continue;
    const path = join(folder, name);
    files.set(`/${name.replaceAll('\\', '/')}`, {
      type,
      plain: await readFile(path),
      gzip: await readFile(`${path}.gz`),
      brotli: await readFile(`${path}.br`),
    });
  }
  return files;
}
