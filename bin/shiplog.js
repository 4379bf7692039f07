#!/usr/bin/env node
// Plain JavaScript that any Node can read: it finds a Node that is new enough for src/main.ts.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const main = new URL('src/main.ts', root);
const { engines } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const floor = engines.node.replace(/^>=\s*/, '');

if (isAtLeast(process.versions.node, floor)) {
  process.argv[1] = fileURLToPath(main);
  // Starting takes a quarter of the time: `shiplog run` stands before every command of a deployment.
  nodeModule.enableCompileCache();
  await import(main.href);
} else {
  const local = fileURLToPath(new URL('node_modules/.bin/node', root));
  if (existsSync(local) && realpathSync(local) !== realpathSync(process.execPath)) {
    runWith(local);
  } else {
    process.stderr.write(
      `shiplog: needs Node ${floor} or newer, this is ${process.versions.node}. ` +
        'Install a newer one, or run `npm ci` (without --omit=dev) in the project, which brings its own.\n',
    );
    process.exitCode = 1;
  }
}

function isAtLeast(version, least) {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i++) if (have[i] !== want[i]) return have[i] > want[i];
  return true;
}

function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal has sent its Ctrl-C to the child already.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`shiplog: cannot start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
  });
}
