/**
 * How the console is built: one folder of files named by their content, each also compressed, so
 * that the server only hands them out. Nothing is fetched from elsewhere, at build or at run time.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const COMPRESSED = /\.(js|css|html|svg)$/;

function precompress(): Plugin {
  let folder = '';
  return {
    name: 'shiplog-precompress',
    apply: 'build',
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!COMPRESSED.test(name)) continue;
        const file = join(folder, name);
        const content = readFileSync(file);
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        writeFileSync(`${file}.br`, brotliCompressSync(content, { params }));
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig(({ command }) => {
  // What is built is what users get, also where a test builds it: otherwise each element would carry
  // the line that it was written at.
  if (command === 'build') process.env.NODE_ENV = 'production';
  return {
    root: import.meta.dirname,
    cacheDir: join(import.meta.dirname, '../../.cache/vite'),
    plugins: [precompress()],
    build: {
      target: 'es2023',
      outDir: join(import.meta.dirname, '../../dist/console'),
      emptyOutDir: true,
      // The content security policy forbids `data:` scripts and styles in the page.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
    server: { proxy: { '/graphql': { target: 'http://127.0.0.1:4000', ws: true } } },
  };
});
