/**
 * What each program has to live through: resets, lost answers, refusals, a server that is away,
 * one that is killed, and one that takes its time to come back.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { type HttpFixture, startHttpFixture } from '../../http/support.ts';
import { KilledTogether } from '../../support/killed-together.ts';
import { graphql } from '../../support/ledger.ts';
import { openTap } from '../../support/tap.ts';
import { FAULTS, type Program, whyNot } from './program.ts';

const LINES = Array.from({ length: 300 }, (_, at) => `line ${at}`);
/** They wait for most of the time: for a second and more before each retry. */
const LONG_MS = 300_000;

/** `env`: of the server. */
export function describePrograms(
  title: string,
  programs: readonly Program[],
  env: () => Promise<Record<string, string>>,
): void {
  describe.concurrent(title, { timeout: LONG_MS }, () => {
    let server: KilledTogether;
    let busy: HttpFixture;
    beforeAll(async () => {
      busy = await startHttpFixture();
      // As between the last request that is taken and the end of the process.
      await busy.ingest.close();
      server = await KilledTogether.start(await env());
    });
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
      await busy?.close();
    });

    it.for(programs)(
      '$title: every line is stored once, whatever becomes of its requests and of the server',
      async (program, context) => {
        const reason = whyNot(program);
        if (reason !== null) {
          if (process.env.CI === 'true') throw new Error(`${reason}. With CI=true it must run.`);
          context.skip(`${program.title} is not tested: ${reason}`);
        }
        const { expect } = context;
        const { faults = FAULTS, loses = 0 } = program;
        using _ = server.enter();
        await using tap = await openTap({
          target: () => server.url(),
          killed: () => server.killed(),
          busy: busy.url,
          faults,
        });
        const folder = await mkdtemp(join(tmpdir(), `shiplog-${program.name}-`));
        const firstDay = today();
        // Others have it killed, too.
        const stored = () =>
          vi.waitFor(async () => storedLines(await server.url(), program, firstDay), {
            timeout: LONG_MS / 4,
            interval: 200,
          });
        try {
          await program.send({
            url: tap.url,
            lines: LINES,
            folder,
            signal: context.signal,
            stored: (count) =>
              vi.waitFor(
                async () => {
                  const { length } = await stored();
                  if (length < count) throw new Error(`${length} of ${count} lines are stored`);
                },
                { timeout: LONG_MS / 2, interval: 200 },
              ),
          });
          const lines = await stored();
          if (loses === 0) expect(lines.toSorted()).toEqual(LINES.toSorted());
          expect(new Set(lines).size).toBe(LINES.length - loses);
          expect(lines).toHaveLength(LINES.length - loses);
          for (const fault of faults) expect(tap.met.get(fault), fault).toBeGreaterThan(0);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
    );
  });
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

const EVENTS = `query ($filter: EventFilter!) { events(filter: $filter, first: 1000) { nodes { message } } }`;

async function storedLines(url: string, program: Program, firstDay: string): Promise<string[]> {
  const tasks = new Set([firstDay, today()].map((day) => program.taskOf(day)));
  const lines: string[] = [];
  for (const taskId of tasks) {
    const { events } = await graphql<{ events: { nodes: { message: string }[] } }>(url, EVENTS, {
      filter: { taskId },
    });
    lines.push(...events.nodes.map(({ message }) => message));
  }
  return lines;
}
