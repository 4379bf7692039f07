import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mapDocument } from '../../../src/senders/mapping/map-document.ts';
import { parseMappingFile } from '../../../src/senders/mapping/mapping-file.ts';
import { documentOf, mappingsOf } from '../documents.ts';

/** As an old release service wrote them. */
const OLD = `
mappings:
  release-service:
    task: releaseId
    host: machine
    step: { path: phase, values: { "1": backup, "2": download } }
    status: { path: state, values: { OK: SUCCEEDED, NG: FAILED, DOING: RUNNING } }
    message: content
    level: lv
    exitCode: ret
    time: { path: logTime, format: epoch-ms }
    labels: [idc]
    drop: [_class]
  local-clock:
    time: { path: when, offset: "+08:00" }
    step: { fallback: access }
    host: machine
use:
  - index: zzdeploylog*
    mapping: release-service
  - index: [nginx-*, httpd-*]
    mapping: local-clock
  - kind: syslog
    mapping: local-clock
`;

function event(index: string | null, fields: Record<string, unknown>) {
  const document = documentOf(fields, { index });
  return mapDocument(document, mappingsOf(OLD).for(document), null).event;
}

/** Each line is ten of the one before. */
const manyAliases = [...'abcdefgh']
  .map(
    (name, at, all) => `${name}: &${name} [${Array(10).fill(at === 0 ? 'x' : `*${all[at - 1]}`)}]`,
  )
  .join('\n');

describe('a mapping file', () => {
  it('lets the documents of an old system come in unchanged, chosen by their index', () => {
    const fields = {
      releaseId: 88_121,
      machine: 'web-1',
      phase: 2,
      state: 'NG',
      content: 'curl: (22) 404',
      lv: 'ERROR',
      ret: 22,
      logTime: 1_795_742_637_100,
      idc: 'sh-2',
      _class: 'com.example.Log',
      operator: 'wang',
    };
    expect(event('zzdeploylog-2026.11.27', fields)).toEqual({
      taskId: '88121',
      host: 'web-1',
      step: 'download',
      at: 1_795_742_637_100,
      status: 'FAILED',
      exitCode: 22,
      level: 'ERROR',
      message: 'curl: (22) 404',
      source: 'zzdeploylog-2026.11.27',
      labels: { idc: 'sh-2' },
      params: { operator: 'wang' },
    });
  });

  it('says in which offset a clock goes, and what stands where nothing is said', () => {
    expect(
      event('httpd-a', { when: '2026-11-27 09:50:49', machine: 'w', message: 'GET /' }),
    ).toMatchObject({
      at: Date.UTC(2026, 10, 27, 1, 50, 49),
      step: 'access',
      host: 'w',
      taskId: 'index/httpd-a/2026-11-27',
    });
  });

  it('is one of JSON, too, and of documents that nothing fits the built-in mapping holds', () => {
    const json = JSON.stringify({
      mappings: { a: { task: 't' } },
      use: [{ index: 'a', mapping: 'a' }],
    });
    const mappings = mappingsOf(json);
    expect(mappings.for({ index: 'a', kind: 'elasticsearch' }).name).toBe('a');
    expect(mappings.for({ index: 'ab', kind: 'elasticsearch' }).name).toBe('default');
    expect(mappings.for({ index: null, kind: 'otlp' }).name).toBe('default');
  });

  it('is shown in the documentation as one that is right', () => {
    const page = readFileSync(
      resolve(import.meta.dirname, '../../../docs/senders/mapping.md'),
      'utf8',
    );
    const shown = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, source]) => source ?? '');
    expect(shown).toHaveLength(1);
    expect(mappingsOf(shown[0] ?? '').for({ index: 'httpd-1', kind: 'elasticsearch' }).name).toBe(
      'nginx',
    );
  });

  it('tells all its mistakes at once, each with its line', () => {
    const parsed = parseMappingFile(`
mappings:
  one:
    tasks: id
    time: { path: t, format: epoch-m, offset: "8" }
    step: { paths: x }
    labels: ["a.*.b"]
    drop: 7
    extends: everything
use:
  - index: x-*
    mapping: ones
  - kind: syslogd
    mapping: one
more: 1
`);
    expect(parsed).toEqual({
      problems: [
        'line 4: mappings.one has no "tasks"; did you mean "task"?',
        'line 5: mappings.one.time.format must be one of auto, epoch-s, epoch-ms, epoch-us, epoch-ns',
        'line 5: mappings.one.time.offset must be an offset such as +08:00, or UTC',
        'line 6: mappings.one.step has no "paths"; did you mean "path"?',
        'line 7: mappings.one.labels.0 may hold "*" only at its end, behind a dot',
        'line 8: mappings.one.drop must be a list of paths',
        'line 9: mappings.one.extends must be default or none',
        'line 12: use.0.mapping: there is no mapping "ones"; did you mean "one"?',
        'line 13: use.1.kind must be one of elasticsearch, otlp, splunk, syslog, docker, import',
        'line 15: the file has no "more"',
      ],
    });
  });

  it('tells them in the words of its documentation, whichever of a field it is', () => {
    const parsed = parseMappingFile(`
mappings:
  one:
    task: 5
    host: []
    step: { path: phase, valus: { a: b } }
    values: {}
    level: "a*"
    status: { values: [1] }
    message: { fallback: [x] }
    time: { path: x, offset: 8 }
    labels: { "": x, idc: 7 }
    writers: [{ kind: Bad Kind, path: x }, { path: y }, 7]
    source: ""
  two: x
  "": { task: x }
use:
  - index: 5
    mapping: tow
  - mapping: 7
  - index: x
  - indx: x
    mapping: none
`);
    expect(parsed).toEqual({
      problems: [
        'line 4: mappings.one.task must be a path, a list of paths, or an object with path, fallback and values',
        'line 5: mappings.one.host must have one at least',
        'line 6: mappings.one.step has no "valus"; did you mean "values"?',
        'line 7: mappings.one has no "values"',
        'line 8: mappings.one.level must not hold "*": only labels and drop may end in .*',
        'line 9: mappings.one.status.values must be an object of words and what they mean',
        'line 10: mappings.one.message.fallback must be a text, a number, true or false',
        'line 11: mappings.one.time.offset must be an offset such as +08:00, or UTC',
        'line 12: mappings.one.labels. must have a name of 1 to 128 characters',
        'line 12: mappings.one.labels.idc must be a path, or a list of paths (the first that is there is taken)',
        'line 13: mappings.one.writers.0.kind must be a word such as pod, of 31 small letters at most',
        'line 13: mappings.one.writers.1.kind must be a word such as pod, of 31 small letters at most',
        'line 13: mappings.one.writers.2 must be an object with kind and path',
        'line 14: mappings.one.source must not be empty',
        'line 15: mappings.two must be an object of fields and where they stand',
        'line 16: mappings. must have a name of 1 to 128 characters',
        'line 18: use.0.index must be a pattern, or a list of them',
        'line 19: use.0.mapping: there is no mapping "tow"',
        'line 20: use.1.mapping must be the name of a mapping',
        'line 21: use.2.mapping must be the name of a mapping',
        'line 22: use.3 has no "indx"; did you mean "index"?',
        'line 23: use.3.mapping: there is no mapping "none"; did you mean "one"?',
      ],
    });
  });

  it.each([
    ['', 'line 1: the file must be an object with mappings and use'],
    ['mappings: [', /^line 1: /],
    ['- 1', /^line 1: the file /],
    ['mappings: {a: {task: x}}\n', /^line 1: use /],
    ['a: &a [*a]', /^line 1: /],
    ['mappings: *nowhere\nuse: []\n', /^line 1: .*nowhere/],
    [manyAliases, /^line 1: .*alias/],
  ])('is told from something else: %j', (source, problem) => {
    const parsed = parseMappingFile(source);
    expect('problems' in parsed && parsed.problems[0]).toMatch(problem);
  });
});
