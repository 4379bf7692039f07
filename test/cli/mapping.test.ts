import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCli } from '../support/cli.ts';

describe('shiplog mapping try', () => {
  let directory: string;
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, text);
    return path;
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shiplog-mapping-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('shows what would be stored of documents and of bulk requests, and what does not fit', async () => {
    const mapping = await file(
      'mapping.yaml',
      'mappings: {old: {task: release, time: {path: t, format: epoch-s}}}\nuse: [{index: old-*, mapping: old}]\n',
    );
    const input = [
      '\ufeff{"index":{"_index":"old-1"}}',
      '{"release":"r-1","t":1795742637,"message":"one","host":"web-1","size":3}',
      '{"create":{"_index":"new"}}',
      '{"release":"r-1","@timestamp":"noon","message":"two"}',
      'no document',
    ].join('\n');
    const cli = startCli(['mapping', 'try', mapping], { input });
    const { code } = await cli.ended;
    expect(cli.stdout()).toContain('"taskId": "r-1"');
    expect(cli.stdout()).toContain('"at": "2026-11-27T01:23:57.000Z"');
    expect(cli.stdout()).toMatch(/"taskId": "index\/new\/\d{4}-\d\d-\d\d"/);
    expect(cli.stderr()).toContain('@timestamp: The time cannot be read');
    expect(cli.stderr()).toContain('no JSON object: no document');
    expect(code).toBe(1);
  });

  it('tells all mistakes of a file, as the server does at its start', async () => {
    const mapping = await file(
      'wrong.yaml',
      'mappings: {a: {tasks: x}}\nuse: [{mapping: b}]\nmore: 1\n',
    );
    const env = { SHIPLOG_MAPPING_FILE: mapping, SHIPLOG_DATA_DIR: join(directory, 'data') };
    const [tried, served] = [
      startCli(['mapping', 'try', mapping], { input: '' }),
      startCli(['serve'], { env }),
    ];
    for (const cli of [tried, served]) {
      const { code } = await cli.ended;
      expect(cli.stderr()).toContain('line 1: mappings.a has no "tasks"; did you mean "task"?');
      expect(cli.stderr()).toContain('line 2: use.0.mapping: there is no mapping "b"');
      expect(cli.stderr()).toContain('line 3: the file has no "more"');
      expect(code).toBe(2);
    }
  });
});
