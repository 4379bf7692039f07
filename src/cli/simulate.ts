/** `shiplog simulate`: a believable fleet deploys, as fast as one likes. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { DEFAULT_PLAN } from '../domain/event/event.ts';
import { Client, withRetry } from './client.ts';
import { connectionOf } from './credentials.ts';
import { CliError, EXIT, messageOf } from './exit.ts';
import { FinishTaskDocument, StartTaskDocument } from './gen/graphql.ts';
import { type ClientOptions, clientOptions, decimal, integer, pointInTime } from './options.ts';
import { Output, say } from './output.ts';
import { fleetEvents } from './simulate/fleet.ts';
import { Lane, newTally, type Tally } from './simulate/lane.ts';
import { mergeByTime } from './simulate/merge.ts';
import { type FleetPlan, planFleet } from './simulate/plan.ts';

interface SimulateOptions extends ClientOptions {
  task?: string;
  tasks: number;
  hosts: number;
  failRate: number;
  seed: string;
  service: string;
  version: string;
  environment: string;
  speed?: number;
  at?: number;
  rate: number;
  batch: number;
  connections: number;
  lines: number;
  retries: number;
}

/** Without --speed the deployment takes about this long. */
const DEFAULT_LENGTH_MS = 20_000;

export function registerSimulate(program: Command): void {
  clientOptions(
    program
      .command('simulate')
      .description('let a simulated fleet deploy: waves, stragglers, retries, failures')
      .option('--hosts <n>', 'how many hosts', integer(1, 10_000), 200)
      .option('--fail-rate <share>', 'share of the hosts that fail, 0–1', decimal(0, 1), 0.02)
      .option('--seed <text>', 'the same seed gives the same fleet', '1')
      .option('--task <id>', 'id of the task (default: made from the seed and the time)')
      .option('--tasks <n>', 'how many tasks at the same time', integer(1, 1_000), 1)
      .option('--service <name>', 'service', 'orders')
      .option('--version <version>', 'version', '2.4.0')
      .option('--environment <name>', 'environment', 'production')
      .option(
        '--speed <factor>',
        'times faster than life; 0: as fast as possible (default: ~20 s)',
        decimal(0, 1e6),
      )
      .option(
        '--at <time>',
        'when the task began: with it, the same seed and task are a retry',
        pointInTime,
      )
      .option('--rate <n>', 'at most n events per second; 0: no limit', decimal(0, 1e6), 0)
      .option('--batch <n>', 'events per request', integer(1, 1_000), 100)
      .option('--connections <n>', 'requests at the same time', integer(1, 64), 4)
      .option(
        '--retries <n>',
        'how often to try a request again while the server is busy or away (20: some two minutes)',
        integer(0, 1_000),
        20,
      )
      .option('--lines <n>', 'output lines of a step, in the median', integer(0, 1_000), 5),
  ).action(simulate);
}

async function simulate(options: SimulateOptions): Promise<void> {
  const client = new Client(connectionOf(options));
  const output = new Output();
  const plans = planTasks(options);
  const lifeMs = plans.reduce((most, { durationMs }) => Math.max(most, durationMs), 0);
  const speed = options.speed ?? Math.max(1, lifeMs / DEFAULT_LENGTH_MS);
  // As fast as possible: the deployment is told as if it ended just now.
  const clock = {
    startAt: options.at ?? Date.now() - (speed === 0 ? lifeMs : 0),
    speed: speed === 0 ? 1 : speed,
  };

  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  process.once('SIGTERM', () => interrupt.abort());
  const tally = newTally();
  const began = performance.now();
  try {
    await startTasks(client, plans, clock.startAt);
    await send(plans, clock, {
      client,
      options,
      paced: speed > 0,
      tally,
      signal: interrupt.signal,
    });
    await finishTasks(client, plans, speed === 0 ? clock.startAt + lifeMs : null);
  } catch (error) {
    if (interrupt.signal.aborted) throw new CliError('interrupted', EXIT.interrupted);
    if (tally.sent > 0) say(`stopped after ${tally.sent} events: ${messageOf(error)}`);
    throw error;
  }
  await report(output, options, plans, tally, (performance.now() - began) / 1_000);
  if (tally.rejected > 0) process.exitCode = EXIT.failed;
}

function planTasks(options: SimulateOptions): FleetPlan[] {
  const base = options.task ?? `sim-${options.seed}-${Date.now().toString(36)}`;
  return Array.from({ length: options.tasks }, (_, index) =>
    planFleet({
      ...options,
      taskId: options.tasks === 1 ? base : `${base}-${index + 1}`,
      fleet: String(index + 1),
    }),
  );
}

async function startTasks(client: Client, plans: FleetPlan[], startAt: number): Promise<void> {
  for (const { options, hosts } of plans) {
    const input = {
      id: options.taskId,
      service: options.service,
      version: options.version,
      environment: options.environment,
      title: `${options.service} ${options.version} to ${hosts.length} hosts`,
      createdBy: 'simulate',
      plan: [...DEFAULT_PLAN],
      hosts: hosts.map((host) => host.name),
      expectedHosts: hosts.length,
      at: new Date(startAt).toISOString(),
    };
    await withRetry(() => client.query(StartTaskDocument, { input }), { attempts: 3 });
    const size = hosts.length === 1 ? '1 host' : `${hosts.length} hosts`;
    say(`task ${options.taskId}: ${size}, ${DEFAULT_PLAN.length} steps`);
    if (plans.length === 1) say(`follow it: shiplog task ${options.taskId} --watch`);
  }
}

async function finishTasks(client: Client, plans: FleetPlan[], at: number | null): Promise<void> {
  for (const { options } of plans) {
    const input = {
      id: options.taskId,
      message: 'rollout over',
      ...(at === null ? {} : { at: new Date(at).toISOString() }),
    };
    await withRetry(() => client.query(FinishTaskDocument, { input }), { attempts: 10 });
  }
}

interface Sending {
  client: Client;
  options: SimulateOptions;
  /** Whether events wait for their time. */
  paced: boolean;
  tally: Tally;
  signal: AbortSignal;
}

async function send(
  plans: FleetPlan[],
  clock: { startAt: number; speed: number },
  { client, options, paced, tally, signal }: Sending,
): Promise<void> {
  const lanes = Array.from(
    { length: options.connections },
    () => new Lane(client, options, tally, signal),
  );
  const events = mergeByTime(
    plans.map((plan) => ({ startMs: 0, open: () => fleetEvents(plan, clock) })),
  );
  const laneOf = new Map<string, Lane>();
  const began = performance.now();
  let pushed = 0;
  for (const { atMs, input } of events) {
    signal.throwIfAborted();
    const due = Math.max(
      paced ? atMs / clock.speed : 0,
      options.rate > 0 ? (pushed / options.rate) * 1_000 : 0,
    );
    const early = due - (performance.now() - began);
    if (early > 2) await wait(early, undefined, { signal });
    const writer = input.writer as string;
    let lane = laneOf.get(writer);
    if (lane === undefined) {
      lane = lanes[laneOf.size % lanes.length] as Lane;
      laneOf.set(writer, lane);
    }
    await lane.push(input);
    pushed++;
  }
  await Promise.all(lanes.map((lane) => lane.close()));
}

async function report(
  output: Output,
  options: SimulateOptions,
  plans: FleetPlan[],
  tally: Tally,
  seconds: number,
): Promise<void> {
  const hosts = plans.reduce((sum, plan) => sum + plan.hosts.length, 0);
  const failedHosts = plans.flatMap((plan) => plan.hosts).filter((host) => host.failed).length;
  const eventsPerSecond = Math.round(tally.sent / seconds);
  if (options.json) {
    const tasks = plans.map((plan) => plan.options.taskId);
    const { sent: events, stored, duplicates, rejected, retries } = tally;
    const counts = { events, stored, duplicates, rejected, retries };
    await output.json({ tasks, hosts, failedHosts, ...counts, seconds, eventsPerSecond });
    return;
  }
  for (const problem of tally.problems) say(`rejected: ${problem}`);
  if (tally.problems.some((problem) => problem.startsWith('ID_CONFLICT'))) {
    say('This fleet has deployed in that task before: take another --task or another --seed.');
  }
  await output.write(
    `${hosts === 1 ? '1 host' : `${hosts} hosts`} (${failedHosts} failed), ${tally.sent} events in ${seconds.toFixed(1)} s ` +
      `(${eventsPerSecond}/s)\nstored ${tally.stored}, duplicates ${tally.duplicates}, ` +
      `rejected ${tally.rejected}, retries ${tally.retries}\n`,
  );
}
