/** `shiplog rebuild`: folds what is shown (tasks, runs, steps) anew from the log. */
import type { Command } from 'commander';
import { configFlags, parseConfig } from '../config.ts';
import { ShiplogError } from '../domain/errors.ts';
import { CliError, EXIT } from './exit.ts';
import { Output, say } from './output.ts';

const WIDTH = 30;
const DRAW_EVERY_MS = 100;

export function registerRebuild(program: Command): void {
  const command = program
    .command('rebuild')
    .description('fold tasks, runs and steps anew from the log')
    .option('--json', 'print one line of JSON on stdout, and no progress')
    .action(rebuild);
  for (const flag of configFlags()) command.addOption(flag.hideHelp());
  command.addHelpText(
    'after',
    `
Takes every setting of \`shiplog serve\`. With Elasticsearch, servers go on serving meanwhile:
each task shows what it showed until it is reached, and an earlier state, for
instance RUNNING, while its own events are folded. With SQLite the server must be stopped.`,
  );
}

async function rebuild(flags: Record<string, unknown>): Promise<void> {
  const config = parseConfig(flags, process.env);
  if ('problems' in config) throw new CliError(config.problems.join('\n'), EXIT.usage);
  const began = performance.now();
  const bar = flags.json === true || !process.stderr.isTTY ? null : new ProgressBar();
  const { rebuildStore } = await import('../store/open-store.ts');
  try {
    const events = await rebuildStore(config.ok, (done, total) => bar?.draw(done, total));
    bar?.clear();
    const seconds = (performance.now() - began) / 1_000;
    if (flags.json === true) await new Output().json({ events, seconds });
    else say(`${events.toLocaleString('en')} events folded in ${seconds.toFixed(1)} s`);
  } catch (error) {
    bar?.clear();
    if (!(error instanceof ShiplogError)) throw error;
    throw new CliError(error.message, error.code === 'BAD_INPUT' ? EXIT.usage : EXIT.failed);
  }
}

class ProgressBar {
  #drawnAt = Number.NEGATIVE_INFINITY;

  draw(done: number, total: number): void {
    const now = performance.now();
    if (now - this.#drawnAt < DRAW_EVERY_MS && done < total) return;
    this.#drawnAt = now;
    const share = total === 0 ? 1 : done / total;
    const full = Math.round(share * WIDTH);
    const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full);
    const count = `${done.toLocaleString('en')} of ${total.toLocaleString('en')} events`;
    process.stderr.write(`\r\x1b[K${bar} ${Math.floor(share * 100)} % ${count}`);
  }

  clear(): void {
    process.stderr.write('\r\x1b[K');
  }
}
