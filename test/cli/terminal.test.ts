import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventLine } from '../../src/cli/event-line.ts';
import type {
  EventRowFragment,
  StepSummaryFragment,
  TaskBoardFragment,
} from '../../src/cli/gen/graphql.ts';
import { forTerminal, painter } from '../../src/cli/output.ts';
import { boardLines, boardThatFits, groupHosts } from '../../src/cli/task/board.ts';
import { cut, widthOf } from '../../src/cli/width.ts';

const plain = (_style: string, text: string) => text;

const EVENT: EventRowFragment = {
  id: 'a',
  eventId: 'a',
  kind: 'OUTPUT',
  taskId: 't',
  hostName: 'web-1',
  step: 'download',
  attempt: 1,
  status: null,
  at: '2026-11-24T09:30:00.000Z',
  receivedAt: '2026-11-24T09:30:00.000Z',
  writer: null,
  sequence: null,
  service: null,
  environment: null,
  message: 'hello',
  level: 'INFO',
  stream: 'STDOUT',
  command: null,
  params: null,
  exitCode: null,
  durationMs: null,
  progress: null,
  error: null,
  source: null,
  labels: {},
  position: '1:1',
};

describe('text from a log on a terminal', () => {
  it('keeps its colours and loses what could harm the terminal', () => {
    expect(forTerminal('\x1b[31mred\x1b[0m')).toBe('\x1b[31mred\x1b[0m\x1b[0m');
    expect(forTerminal('a\x1b[2Jb\x1b]0;title\x07c\x00d\x08e')).toBe('abcde');
    expect(forTerminal('x\u202egpj.exe\u202c\u2066y')).toBe('xgpj.exey');
    expect(forTerminal('tab\tand\nline')).toBe('tab\tand\nline');
  });

  it('is coloured only where it is wanted', () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true, getColorDepth: () => 8 });
    const pipe = new PassThrough();
    const on = (stream: PassThrough, option: boolean, env: Record<string, string>) => {
      for (const name of ['NO_COLOR', 'FORCE_COLOR']) vi.stubEnv(name, env[name]);
      return painter(stream, option)('red', 'x') !== 'x';
    };
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(on(terminal, true, {})).toBe(true);
    expect(on(pipe, true, {})).toBe(false);
    expect(on(pipe, true, { FORCE_COLOR: '1' })).toBe(true);
    expect(on(terminal, true, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
    expect(on(terminal, false, { FORCE_COLOR: '1' })).toBe(false);
  });

  it('shows an event as one entry: where it was, what happened, how it ended', () => {
    const line = (said: Partial<EventRowFragment>, showTask = false) =>
      eventLine({ ...EVENT, ...said }, { paint: plain, isTerminal: true, showTask }).slice(13);
    expect(line({})).toBe('INFO  web-1 download hello');
    expect(line({ attempt: 2 }, true)).toBe('INFO  t web-1 download#2 hello');
    expect(line({ message: 'one\ntwo' })).toBe('INFO  web-1 download one\n    two');
    const ended = {
      kind: 'STEP',
      status: 'FAILED',
      message: null,
      level: 'ERROR',
      durationMs: 4_200,
      exitCode: 1,
      error: { code: 'DISK_FULL', message: 'no space' },
    } as const;
    expect(line(ended)).toBe('ERROR web-1 download FAILED 4.2 s exit 1 DISK_FULL: no space');
    const progress = { done: 45, total: 100, unit: '%' };
    expect(line({ kind: 'PROGRESS', message: null, progress })).toBe('INFO  web-1 download 45 %');
  });

  it('marks what a search found', () => {
    const paint = (style: string, text: string) => (style === 'inverse' ? `<${text}>` : text);
    const highlights = [
      { start: 0, end: 5 },
      { start: 6, end: 8 },
    ];
    const event = { ...EVENT, message: 'hello no space' };
    const line = eventLine(event, { paint, isTerminal: false, showTask: false, highlights });
    expect(line).toContain('<hello> <no> space');
  });
});

describe('the board in a terminal', () => {
  const steps = ['download', 'unpack'];
  const hosts = Array.from({ length: 1_000 }, (_, i) => `web-${i + 1}`);
  const cells = hosts.map((_, i) => (i === 499 ? 'SF' : i < 900 ? 'SS' : 'RP')).join('');
  const summary: StepSummaryFragment = {
    step: 'download',
    pending: 0,
    running: 100,
    succeeded: 900,
    failed: 0,
    skipped: 0,
    timedOut: 0,
    cancelled: 0,
    notRun: 0,
    p50Ms: 1_000,
    p95Ms: 12_000,
    maxMs: 90_000,
  };
  const task: TaskBoardFragment = {
    id: 'deploy-1',
    service: 'orders',
    version: '2.4.0',
    environment: 'production',
    title: null,
    status: 'RUNNING',
    createdAt: '2026-11-24T09:30:00.000Z',
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    lastEventAt: null,
    stale: false,
    expectedHosts: 1_000,
    runCounts: {
      total: 1_000,
      pending: 0,
      running: 100,
      succeeded: 899,
      failed: 1,
      cancelled: 0,
      notRun: 0,
      stale: 0,
    },
    plan: steps,
    stepSummaries: [summary, { ...summary, step: 'unpack', succeeded: 899, failed: 1 }],
    matrix: { steps, hosts, cells },
    failureGroups: [
      {
        message: 'no space',
        count: 1,
        hostCount: 1,
        hosts: ['web-500'],
        steps: ['unpack'],
        sample: {
          hostName: 'web-500',
          name: 'unpack',
          command: 'tar -xzf app.tar.gz',
          exitCode: 2,
          error: { code: 'DISK_FULL', message: 'no space left on device' },
          lastLines: [{ at: '2026-11-24T09:30:00.000Z', message: '100 % full', stream: 'STDERR' }],
        },
      },
    ],
  };
  const options = { paint: plain, width: 100, rows: 40, failedOnly: false };

  it('puts failures first and hosts that look the same in one row', () => {
    expect(
      groupHosts(task.matrix, false).map(({ letters, hosts }) => [letters, hosts.length]),
    ).toEqual([
      ['SF', 1],
      ['RP', 100],
      ['SS', 899],
    ]);
    expect(groupHosts(task.matrix, true)).toEqual([{ letters: 'SF', hosts: ['web-500'] }]);
  });

  it('fits the width, names what fits and counts the rest', () => {
    const lines = boardLines(task, options);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    const text = lines.join('\n');
    expect(text).toContain('deploy-1  RUNNING  orders 2.4.0 to production');
    expect(text).toMatch(/S S {3}899 hosts {2}web-1, web-2.* \+\d+/);
    expect(text).toContain('✖ no space left on device');
    expect(text).toContain('$ tar -xzf app.tar.gz (exit 2)');
    expect(text).toContain('│ 100 % full');
  });

  it('keeps the first reason on a screen of 24 rows, however many patterns and steps there are', () => {
    const plan = Array.from({ length: 14 }, (_, i) => `step-${i + 1}`);
    const cells = hosts.map((_, i) =>
      (2 ** 14 + i)
        .toString(2)
        .slice(1)
        .replace(/./g, (bit) => (bit === '1' ? 'S' : 'F')),
    );
    const large = {
      ...task,
      stepSummaries: plan.map((step) => ({ ...summary, step })),
      matrix: { steps: plan, hosts, cells: cells.join('') },
    };
    for (const height of [24, 16]) {
      const lines = boardThatFits(large, options, height);
      expect(lines).toHaveLength(height);
      expect(lines[0]).toContain('deploy-1  RUNNING');
      expect(lines).toContain('✖ no space left on device');
      expect(lines.at(-1)).toMatch(/^… \d+ more lines$/);
    }
    expect(boardThatFits(task, options, 100)).toEqual(boardLines(task, options));
  });

  it('is not cut where nothing has a width, and its reasons are whole at the end', () => {
    const [group] = task.failureGroups;
    const reason = 'certificate has sha256 0a1b where 2c3d is expected '.repeat(4).trim();
    const sample = { ...group?.sample, error: { code: null, message: reason } };
    const failed = { ...task, failureGroups: [{ ...group, sample }] } as TaskBoardFragment;
    const whole = boardLines(failed, { ...options, width: Number.POSITIVE_INFINITY }).join('\n');
    expect(whole).toContain(`✖ ${reason}`);
    for (const host of hosts) expect(whole).toContain(host);
    const last = boardLines(failed, { ...options, width: 50, wrapReasons: true });
    const at = last.findIndex((line) => line.startsWith('✖'));
    const text = last
      .slice(at, at + 5)
      .map((line) => line.slice(2))
      .join('');
    expect(text).toContain(reason);
    for (const line of last.slice(at)) expect(line.length).toBeLessThanOrEqual(50);
  });

  it('says for how long a task has been running, and in which zone its times are', () => {
    const now = Date.parse(task.createdAt) + 185_000;
    const [, , times] = boardLines(task, { ...options, now });
    expect(times).toMatch(/^created 2026-11-2\d \d\d:\d\d:\d\d · for 3 min 05 s · UTC/);
  });

  it('says how many hosts it does not show', () => {
    expect(boardLines(task, { ...options, rows: 1 }).join('\n')).toContain('… and 999 more hosts');
  });

  it('shows the rare failure in the bar, however large the fleet', () => {
    const line = boardLines(task, options).find((text) => text.startsWith('unpack'));
    expect(line).toMatch(/█+▓▒+/);
  });

  it('names every step, in as many lines as a narrow terminal needs', () => {
    const many = Array.from({ length: 14 }, (_, i) => `step-number-${i + 1}`);
    const matrix = { steps: many, hosts: ['a'], cells: 'S'.repeat(14) };
    const lines = boardLines({ ...task, matrix }, { ...options, width: 50 });
    const legend = lines.filter((line) => /^\d+ step-number/.test(line));
    expect(legend.join('  ')).toBe(many.map((name, i) => `${i + 1} ${name}`).join('  '));
    for (const line of legend) expect(line.length).toBeLessThanOrEqual(50);
  });

  it('keeps its columns under names and reasons in Chinese', () => {
    const [group] = task.failureGroups;
    const sample = { ...group?.sample, error: { code: null, message: '连接超时'.repeat(30) } };
    const chinese = {
      ...task,
      stepSummaries: [{ ...summary, step: '下载' }, summary],
      failureGroups: [{ ...group, sample }],
    } as TaskBoardFragment;
    const lines = boardLines(chinese, { ...options, width: 60 });
    const [wide, narrow] = [/^下载 {6}900/, /^download {2}900/].map((row) =>
      lines.find((line) => row.test(line)),
    );
    expect(wide).toBeDefined();
    expect(narrow).toBeDefined();
    expect(lines).toContain(`✖ ${'连接超时'.repeat(7)}…`);
  });

  it('gives a reason of several lines one line, and ends a colour that was cut', () => {
    const [group] = task.failureGroups;
    const message = `first\r\nsecond \x1b[31m${'red '.repeat(30)}\x1b[0m`;
    const sample = { ...group?.sample, error: { code: null, message } };
    const failed = { ...task, failureGroups: [{ ...group, sample }] } as TaskBoardFragment;
    const line = boardLines(failed, { ...options, width: 40 }).find((text) => text[0] === '✖');
    expect(line).toBe(`✖ first second \x1b[31m${'red '.repeat(6)}…\x1b[0m`);
  });
});

describe('the width of a text', () => {
  it('is what a terminal makes of it', () => {
    expect(
      ['abc', '下载', 'e\u0301', '\x1b[31mred\x1b[0m', '👩‍👩‍👧‍👦', '🇩🇪', '–'].map(widthOf),
    ).toEqual([3, 4, 1, 3, 2, 2, 1]);
    expect(cut('下载下载', 5)).toBe('下载…');
    expect(cut('下载', 4)).toBe('下载');
  });
});
