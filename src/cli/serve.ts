/** `shiplog serve`: the server, from its settings to its exit code. */
import { Command } from 'commander';
import type { App } from '../app.ts';
import { type Config, configFlags, parseConfig } from '../config.ts';
import { ShiplogError } from '../domain/errors.ts';
import { valueWithoutCredentials } from '../domain/text/address.ts';
import { nearest } from '../domain/text/nearest.ts';
import { createLog } from '../log.ts';
import { EXIT } from './exit.ts';
import { say } from './output.ts';

/** How often a server that npm started looks whether it is on its own. */
const ORPHAN_CHECK_MS = 500;

/** Settings that are wrong in themselves and those that the machine refuses end the same way. */
const SETTINGS_AT_FAULT: ReadonlySet<string> = new Set(['BAD_INPUT']);

/** Runs until a signal; resolves to the exit code. All problems of the settings are said at once. */
export async function serve(args: readonly string[]): Promise<number> {
  const command = new Command('shiplog serve')
    .description('Run the server. Flags win over the environment.')
    .exitOverride();
  for (const flag of configFlags()) command.addOption(flag);
  // Taken in, to be told together with all the rest.
  command.allowUnknownOption().allowExcessArguments();
  command.parse(args, { from: 'user' });
  const config = parseConfig(command.opts(), process.env);
  const problems = [...unknownFlags(command), ...('problems' in config ? config.problems : [])];
  if ('problems' in config || problems.length > 0) {
    for (const problem of problems) say(`shiplog: ${problem}`);
    return EXIT.usage;
  }
  const stop = signalled();
  // Not before: the server is most of what there is to load.
  const { createApp } = await import('../app.ts');
  try {
    // A person who looks on wants the link, not a line of JSON.
    const isWatched = process.stdout.isTTY === true && config.ok.logLevel === 'info';
    const log = isWatched ? createLog('warn') : createLog(config.ok.logLevel);
    const app = await Promise.race([createApp(config.ok, { log }), stop]);
    // Told to stop while it opens, or waits for Elasticsearch: nothing was taken that could be lost.
    if (app === undefined) process.exit(EXIT.ok);
    if (isWatched) process.stdout.write(`${welcome(app, config.ok)}\n`);
    const failed = await Promise.race([stop, app.failed]);
    if (failed instanceof Error) say(`shiplog: the store has failed: ${failed.message}`);
    await app.close().catch((error: unknown) => {
      if (!(failed instanceof Error)) throw error;
    });
    // Whoever watches over the server starts it again; nothing that was acknowledged is lost.
    return failed instanceof Error ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!(error instanceof ShiplogError)) throw error;
    say(`shiplog: ${error.message}`);
    return SETTINGS_AT_FAULT.has(error.code) ? EXIT.usage : EXIT.failed;
  }
}

/** One line for a person: what runs, where to look at it, where its data are. */
function welcome({ url, version }: App, config: Config): string {
  const link = config.graphiql ? `${url}/graphiql` : url;
  const data = config.store === 'sqlite' ? config.dataDir : 'Elasticsearch';
  return `Shiplog ${version} · ${link} · data in ${data}`;
}

/** What commander could not place; the word behind an unknown flag is most likely its value. */
function unknownFlags(command: Command): string[] {
  const known = command.options.map((option) => option.long as string);
  return command.args
    .filter((word, index) => word.startsWith('-') || !command.args[index - 1]?.startsWith('-'))
    .map((word) => {
      const guess = word.startsWith('--') ? nearest(word.replace(/=.*$/, ''), known) : null;
      const hint = guess === null ? 'see shiplog serve --help' : `did you mean ${guess}?`;
      return `${valueWithoutCredentials(word)} is not an option: ${hint}`;
    });
}

/** The first SIGTERM or SIGINT; a second one ends the process at once. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = () => {
      if (asked) process.exit(EXIT.failed);
      asked = true;
      resolve();
    };
    process.on('SIGTERM', ask);
    process.on('SIGINT', ask);
    if (process.env.npm_lifecycle_event === 'start') whenOrphaned(resolve);
  });
}

/**
 * npm hands a signal to the shell between it and us, which ends without handing it on: that the
 * shell is gone is all that we hear of it.
 */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, ORPHAN_CHECK_MS).unref();
}
