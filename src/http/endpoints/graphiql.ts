/**
 * /graphiql without the internet: the files come from an npm package that inlines nine megabytes
 * into each page; here they are separate, named by their hash, compressed once and cached for
 * ever, so that the page itself can have a strict content security policy.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { ShiplogError } from '../../domain/errors.ts';
import { sendPage } from '../reply.ts';
import type { Route } from '../route.ts';
import { FOR_EVER, type StaticFile, sendFile } from '../static-file.ts';
import { EXAMPLE_TASK, TABS } from './graphiql-tabs.ts';

interface Asset extends StaticFile {
  name: string;
}
interface Page {
  html: string;
  assets: ReadonlyMap<string, Asset>;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const FOLDER = '/graphiql/';

/** Monaco writes style elements as it goes; everything else is a file of this server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const compress = promisify(gzip);

async function makeAsset(
  name: string,
  extension: string,
  type: string,
  content: string | Buffer,
): Promise<Asset> {
  const plain = Buffer.from(content);
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 16);
  const gzip = await compress(plain, { level: constants.Z_DEFAULT_COMPRESSION });
  return { name: `${name}.${hash}.${extension}`, type, plain, gzip, brotli: null };
}

/**
 * Runs in the browser. Addresses are relative to the page, which may be behind a path prefix. Links
 * of the console bring a query with its variables: they come before the examples.
 */
function bootScript(workers: Record<'editor' | 'json' | 'graphql', Asset>): string {
  const options = {
    title: 'Shiplog',
    defaultTabs: TABS,
    schemaDescription: true,
    shouldPersistHeaders: false,
    // Each with the headers of its tab, so that a token counts for them too; over a websocket the
    // page sends none.
    subscriptionsProtocol: 'SSE',
  };
  return `const folder = new URL('graphiql/', location.href);
const workers = {
  editorWorkerService: ${JSON.stringify(workers.editor.name)},
  json: ${JSON.stringify(workers.json.name)},
  graphql: ${JSON.stringify(workers.graphql.name)},
};
self.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_, label) => new URL(workers[label] ?? workers.editorWorkerService, folder).href,
};
const options = ${JSON.stringify(options)};
const endpoint = new URL('graphql', location.href).pathname;
const asked = new URLSearchParams(location.search);
async function newestTask() {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ tasks(first: 1) { nodes { id } } }' }),
    signal: AbortSignal.timeout(2_000),
  });
  return (await response.json()).data.tasks.nodes[0].id;
}
// Without a task, or with a token to be given first, the examples stay as they are.
newestTask().catch(() => '${EXAMPLE_TASK}').then((id) => {
  for (const tab of options.defaultTabs) {
    tab.variables = tab.variables?.replace('"${EXAMPLE_TASK}"', () => JSON.stringify(id));
  }
  if (asked.has('query')) {
    const [query, variables] = [asked.get('query'), asked.get('variables') ?? ''];
    options.defaultTabs.unshift({ query, variables });
    options.variables = variables;
  }
  YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), { ...options, endpoint });
});
`;
}

async function build(): Promise<Page> {
  const files = await import('@graphql-yoga/render-graphiql/graphiql');
  const icon = Buffer.from(files.favicon.slice(files.favicon.indexOf(',') + 1), 'base64');
  const [main, style, favicon, editor, json, graphql] = await Promise.all([
    makeAsset('graphiql', 'js', SCRIPT, files.js),
    makeAsset('graphiql', 'css', 'text/css; charset=utf-8', files.css),
    makeAsset('favicon', 'ico', 'image/x-icon', icon),
    makeAsset('editor-worker', 'js', SCRIPT, files.editorWorkerService),
    makeAsset('json-worker', 'js', SCRIPT, files.jsonWorker),
    makeAsset('graphql-worker', 'js', SCRIPT, files.graphqlWorker),
  ]);
  const boot = await makeAsset('boot', 'js', SCRIPT, bootScript({ editor, json, graphql }));
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>GraphiQL · Shiplog</title>
    <link rel="icon" href="graphiql/${favicon.name}">
    <link rel="stylesheet" href="graphiql/${style.name}">
  </head>
  <body id="body" class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript.</noscript>
    <div id="root"></div>
    <script src="graphiql/${main.name}"></script>
    <script src="graphiql/${boot.name}"></script>
  </body>
</html>
`;
  const all = [main, style, favicon, editor, json, graphql, boot];
  return { html, assets: new Map(all.map((asset) => [asset.name, asset])) };
}

/** The page and, by path, its files. Nothing is loaded before somebody opens the page. */
export function graphiqlRoutes(): { page: Route; file: (path: string) => Route | null } {
  let building: Promise<Page> | null = null;
  const page = (): Promise<Page> => {
    building ??= build();
    return building;
  };
  return {
    page: {
      name: '/graphiql',
      methods: ['GET'],
      access: 'open',
      errors: 'plain',
      async handle({ response }) {
        const { html } = await page();
        sendPage(response, html, POLICY);
      },
    },
    file(path) {
      if (!path.startsWith(FOLDER)) return null;
      return {
        name: '/graphiql/*',
        methods: ['GET'],
        access: 'open',
        errors: 'plain',
        async handle({ request, response }) {
          const asset = (await page()).assets.get(path.slice(FOLDER.length));
          if (asset === undefined) throw new ShiplogError('NOT_FOUND', `Nothing is at ${path}`);
          sendFile(request, response, asset, { 'cache-control': FOR_EVER });
        },
      };
    },
  };
}
