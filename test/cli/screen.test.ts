import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { TaskBoardFragment } from '../../src/cli/gen/graphql.ts';
import { Output } from '../../src/cli/output.ts';
import { Screen } from '../../src/cli/task/screen.ts';

const OPTIONS = { url: 'http://127.0.0.1:4000', color: false, lines: 5 };
const TASK: TaskBoardFragment = {
  id: 'watched',
  service: null,
  version: null,
  environment: null,
  title: null,
  status: 'RUNNING',
  createdAt: '2026-11-24T09:30:00.000Z',
  startedAt: null,
  finishedAt: null,
  durationMs: null,
  lastEventAt: null,
  stale: false,
  expectedHosts: null,
  runCounts: {
    total: 0,
    pending: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    notRun: 0,
    stale: 0,
  },
  plan: [],
  stepSummaries: [],
  matrix: { steps: [], hosts: [], cells: '' },
  failureGroups: [],
};

it('a watched board is drawn over what was said of a lost connection, and nothing old stays', async () => {
  const terminal = Object.assign(new PassThrough({ encoding: 'utf8' }), {
    isTTY: true,
    columns: 60,
    rows: 30,
  });
  const output = new Output(terminal as unknown as NodeJS.WriteStream);
  const screen = new Screen(OPTIONS, output, true);
  await screen.draw(TASK, false);
  const lines = String(terminal.read()).split('\n').length - 1;
  screen.note('connection closed; trying again');
  screen.note(`connected again, ${'at last '.repeat(8)}`);
  await screen.draw(TASK, false);
  // One note takes a line, the other, wider than the terminal, two.
  expect(String(terminal.read())).toContain(`\x1b[${lines + 3}A\x1b[0J`);
  await screen.draw(TASK, true);
  expect(String(terminal.read())).toContain(`\x1b[${lines}A\x1b[0J`);
});
