/** What is wrong with a file of mappings, told to whoever wrote it: each mistake with its line. */
import type { z } from 'zod';
import { nearest } from '../../domain/text/nearest.ts';
import { FIELDS } from './mapping.ts';

const NO_NAME = 'must have a name of 1 to 128 characters';

export type Path = readonly PropertyKey[];

interface Problem {
  path: Path;
  text: string;
}

/** By line, as texts. */
export function inOrder(problems: readonly Problem[], lineOf: (path: Path) => number): string[] {
  return problems
    .map(({ path: where, text: said }) => ({ line: lineOf(where), said }))
    .sort((a, b) => a.line - b.line)
    .map(({ line, said }) => `line ${line}: ${said}`);
}

type Issue = z.core.$ZodIssue;

/** In the words of the documentation. */
export function told(issue: Issue): Problem[] {
  const where = issue.path.join('.') || 'the file';
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const hint = hintOf(key, keysAt(issue.path));
        return { path: [...issue.path, key], text: `${where} has no "${key}"${hint}` };
      });
    case 'invalid_key':
      return [{ path: issue.path, text: `${where} ${NO_NAME}` }];
    case 'invalid_union': {
      // Where one of the forms was meant, what is wrong in it says more.
      const meant = issue.errors.find(isMeant) ?? [];
      if (meant.length === 0) break;
      return meant.flatMap((one) => told({ ...one, path: [...issue.path, ...one.path] }));
    }
  }
  return [{ path: issue.path, text: `${where} ${issue.message}` }];
}

/** Whether the value has that form, and is wrong in something else. */
function isMeant(issues: readonly Issue[]): boolean {
  return issues.every(
    (issue) =>
      issue.path.length > 0 ||
      (issue.code === 'invalid_union'
        ? issue.errors.some(isMeant)
        : issue.code !== 'invalid_type' && issue.code !== 'invalid_value'),
  );
}

/** What an object there may have. */
function keysAt([top, _name, field, ...deeper]: Path): readonly string[] {
  if (top === undefined) return ['mappings', 'use'];
  if (top === 'use') return ['index', 'kind', 'mapping'];
  if (field === undefined) return [...FIELDS, 'time', 'labels', 'writers', 'drop', 'extends'];
  if (field === 'writers' && deeper.length > 0) return ['kind', 'path'];
  return field === 'time' ? ['path', 'format', 'offset'] : ['path', 'fallback', 'values'];
}

function hintOf(word: string, known: readonly string[]): string {
  const guess = nearest(word, known);
  return guess === null ? '' : `; did you mean "${guess}"?`;
}

/** Choices of mappings that are not there, whatever else is wrong. */
export function wrongNames(value: unknown): Problem[] {
  const { mappings, use } = (value ?? {}) as { mappings?: unknown; use?: unknown };
  if (typeof mappings !== 'object' || mappings === null || !Array.isArray(use)) return [];
  const names = [...Object.keys(mappings), 'default'];
  return use.flatMap((entry: unknown, at): Problem[] => {
    const wanted = (entry as { mapping?: unknown } | null)?.mapping;
    if (typeof wanted !== 'string' || names.includes(wanted)) return [];
    const text = `use.${at}.mapping: there is no mapping "${wanted}"${hintOf(wanted, names)}`;
    return [{ path: ['use', at, 'mapping'], text }];
  });
}
