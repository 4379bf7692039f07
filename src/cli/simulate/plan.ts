/**
 * Who of a simulated fleet does what and when: decided before any event is made, so that the
 * length of the deployment is known and each host's events can be made on demand.
 */
import { CAUSES, type Cause, pickCause } from './causes.ts';
import { Random } from './random.ts';
import { type HostContext, STEP_SCRIPTS, type StepScript } from './steps.ts';

export interface FleetOptions {
  taskId: string;
  service: string;
  version: string;
  environment: string;
  hosts: number;
  /** Share of the hosts that end failed, 0–1. */
  failRate: number;
  /** Output lines of a step, in the median. */
  lines: number;
  seed: string;
  /** Which fleet of that seed it is, so that tasks side by side differ (default: the task's id). */
  fleet?: string;
}

export interface PlannedAttempt {
  script: StepScript;
  attempt: number;
  /** From the beginning of the task. */
  startMs: number;
  durationMs: number;
  cause: Cause | null;
}

export interface PlannedHost {
  name: string;
  zone: string;
  writer: string;
  context: HostContext;
  attempts: PlannedAttempt[];
  startMs: number;
  endMs: number;
  failed: boolean;
}

export interface FleetPlan {
  options: FleetOptions;
  hosts: PlannedHost[];
  /** From the first event to the last, at the speed of life. */
  durationMs: number;
}

/** Nine of ten hosts of a wave have ended when the next begins. */
const WAVE_QUANTILE = 0.9;
const LARGEST_WAVE = 200;
/** Three of a hundred hosts are several times slower than the others. */
const STRAGGLERS = 0.03;

export function planFleet(options: FleetOptions): FleetPlan {
  const random = new Random(`${options.seed}/${options.fleet ?? options.taskId}`);
  const shared = sharedContext(options, random.fork('artefact'));
  const waveSize = Math.min(LARGEST_WAVE, Math.ceil(options.hosts / 10));
  const digits = Math.max(2, String(options.hosts).length);
  const failing = pickFailing(options, random.fork('failing'));
  const hosts: PlannedHost[] = [];
  for (let waveStart = 0; hosts.length < options.hosts; ) {
    const wave: PlannedHost[] = [];
    while (wave.length < waveSize && hosts.length + wave.length < options.hosts) {
      const index = hosts.length + wave.length;
      const name = `web-${String(index + 1).padStart(digits, '0')}`;
      const fate = {
        failed: failing.has(index),
        stumbleRate: Math.min(0.05, options.failRate * 1.5),
      };
      wave.push(planHost(name, waveStart, shared, fate, random.fork(name)));
    }
    for (const host of wave) hosts.push(host);
    const ends = wave.map((host) => host.endMs).sort((a, b) => a - b);
    waveStart = ends[Math.floor((ends.length - 1) * WAVE_QUANTILE)] as number;
  }
  return {
    options,
    hosts,
    durationMs: hosts.reduce((most, { endMs }) => Math.max(most, endMs), 0),
  };
}

/** As many as the rate says, and at least one where it says any. */
function pickFailing({ hosts, failRate }: FleetOptions, random: Random): Set<number> {
  const failing = new Set<number>();
  const count = failRate === 0 ? 0 : Math.min(hosts, Math.max(1, Math.round(hosts * failRate)));
  const order = Array.from({ length: hosts }, (_, index) => index);
  for (let i = 0; i < count; i++) {
    const other = random.integer(i, hosts - 1);
    failing.add(order[other] as number);
    order[other] = order[i] as number;
  }
  return failing;
}

/** stumbleRate: of the hosts that do not fail, those whose first attempt at one step does. */
interface Fate {
  failed: boolean;
  stumbleRate: number;
}

type Shared = Omit<HostContext, 'host' | 'port'>;

function sharedContext(options: FleetOptions, random: Random): Shared {
  const { service, version, environment } = options;
  const [major = '1', minor = '0'] = version.replace(/^v/, '').split('.');
  return {
    service,
    version,
    previous: `${major}.${Math.max(0, Number.parseInt(minor, 10) - 1) || 0}.${random.integer(0, 9)}`,
    environment,
    checksum: random.hex(64),
    bytes: random.integer(60_000_000, 180_000_000),
  };
}

function planHost(
  name: string,
  waveStart: number,
  shared: Shared,
  { failed, stumbleRate }: Fate,
  random: Random,
): PlannedHost {
  const context = { ...shared, host: name, port: 8_080 + random.integer(0, 3) };
  const slowness = random.chance(STRAGGLERS) ? 2.5 + random.fraction() * 4 : 1;
  const stumbles = !failed && random.chance(stumbleRate);
  const causes = stumbles ? CAUSES.filter((cause) => cause.isTransient) : CAUSES;
  const cause = failed || stumbles ? pickCause(random, causes) : null;
  const startMs = waveStart + random.fraction() * 5_000;
  const attempts: PlannedAttempt[] = [];
  let at = startMs;
  for (const script of STEP_SCRIPTS) {
    const hit = cause?.step === script.step ? cause : null;
    const retried = hit?.isTransient === true && (stumbles || random.chance(0.5));
    for (let attempt = 1; attempt <= (retried ? 2 : 1); attempt++) {
      const durationMs =
        hit?.status === 'TIMED_OUT' && !(stumbles && attempt === 2)
          ? 60_000 + random.integer(0, 300)
          : Math.max(50, random.logNormal(script.medianMs, 0.35) * slowness);
      const fails = stumbles && attempt === 2 ? null : hit;
      attempts.push({ script, attempt, startMs: at, durationMs, cause: fails });
      at += durationMs + (attempt === 1 && retried ? random.integer(2_000, 5_000) : 20);
    }
    if (hit !== null && failed) break;
  }
  const zone = random.pick(['eu-1a', 'eu-1b', 'eu-1c']);
  return { name, zone, writer: random.uuid(), context, attempts, startMs, endMs: at, failed };
}
