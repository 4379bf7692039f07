/** `shiplog docker`: the logs of an engine's containers, read from its API and sent on. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { Client } from './client.ts';
import { connectionOf } from './credentials.ts';
import { Delivery } from './docker/delivery.ts';
import { Engine } from './docker/engine.ts';
import { Follower } from './docker/follower.ts';
import { Positions } from './docker/positions.ts';
import { CliError, EXIT } from './exit.ts';
import { mappingsOf } from './mapping.ts';
import { type ConnectionOptions, connectionOptions, list, pointInTime } from './options.ts';
import { say } from './output.ts';

interface DockerOptions extends ConnectionOptions {
  socket: string;
  host: string;
  state?: string;
  since?: number;
  label?: string[];
  mapping?: string;
  follow: boolean;
}

const SAVE_EVERY_MS = 1_000;
/** At the end: how long what was read may take to be delivered. It is read again next time. */
const LAST_WAIT_MS = 5_000;

export function registerDocker(program: Command): void {
  connectionOptions(
    program
      .command('docker')
      .description('follow the logs of containers and send them (docs/senders/docker.md)')
      .option('--socket <path>', 'socket of Docker or podman', defaultSocket())
      .option('--host <name>', 'host that the lines are of', hostname())
      .option('--state <file>', 'keeps up to where logs were delivered, over restarts')
      .option(
        '--since <time>',
        'from when on logs are read that were never read before: a time, or a duration before now (default: all that the engine has)',
        pointInTime,
      )
      .option('--label <labels>', 'only containers with these labels: shiplog.task, env=prod', list)
      .option('--mapping <file>', 'mapping of your own (docs/senders/mapping.md)')
      .option('--no-follow', 'read what is there and end'),
  ).action(run);
}

/** What Docker's own client takes: DOCKER_HOST, if it is a socket. */
function defaultSocket(): string {
  const host = process.env.DOCKER_HOST ?? '';
  return host.startsWith('unix://') ? host.slice('unix://'.length) : '/var/run/docker.sock';
}

async function run(options: DockerOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const mappings = mappingsOf(options.mapping ?? null);
  const positions = new Positions(options.state ?? null);
  const engine = await Engine.open(options.socket);
  const stop = new AbortController();
  const giveUp = new AbortController();
  const failed = Promise.withResolvers<never>();
  const delivery = new Delivery(
    client,
    (delivered) => {
      for (const { container, time } of delivered) if (time !== '') positions.note(container, time);
    },
    giveUp.signal,
  );
  const follower = new Follower({
    engine,
    delivery,
    positions,
    mappings,
    host: options.host,
    labels: options.label ?? [],
    since: options.since === undefined ? 0 : Math.floor(options.since / 1_000),
    follow: options.follow,
    signal: stop.signal,
  });
  const save = (): void => void positions.save().catch(failed.reject);
  const saving = setInterval(save, SAVE_EVERY_MS);
  const onSignal = (): void => {
    stop.abort();
    setTimeout(() => giveUp.abort(), LAST_WAIT_MS).unref();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    await Promise.race([
      follower.run().then(() => delivery.settle()),
      delivery.failed,
      failed.promise,
    ]);
  } catch (error) {
    if (!giveUp.signal.aborted) throw error;
    throw new CliError(
      'stopped before everything was delivered; the next run reads it again',
      EXIT.unreachable,
    );
  } finally {
    clearInterval(saving);
    stop.abort();
    await positions.save();
    const { stored, duplicates, rejected } = delivery.counts;
    say(`stored ${stored}, duplicates ${duplicates}, rejected ${rejected}`);
  }
}
