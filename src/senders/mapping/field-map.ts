/**
 * A document's fields by their dotted paths: `{host: {name}}` and `{"host.name"}` are the same.
 * Whoever takes a field removes it, so that what is left is what nobody knew.
 */
import { ExactNumber } from '../../domain/event/exact-number.ts';

/** Text, number, boolean, list, `ExactNumber`, or an object that is too deep to be looked into. */
export type Leaf = unknown;

/** Fields of one document; more are not looked at. */
const MAX_FIELDS = 1_000;
/** Levels of objects that paths lead through. */
const MAX_DEPTH = 16;
const MAX_PATH = 512;

/** Which rules of a mapping name a path. */
export type RulesByPath = ReadonlyMap<string, readonly object[]>;

export class FieldMap {
  readonly #leaves = new Map<string, Leaf>();
  readonly #rulesByPath: RulesByPath;
  /** Documents have ten fields and rules a hundred paths: the others need not be tried. */
  readonly #rules = new Set<object>();
  /** Fields that were not kept: too many, a path too long, or one path said twice. */
  left = 0;

  constructor(fields: Readonly<Record<string, unknown>>, rulesByPath: RulesByPath) {
    this.#rulesByPath = rulesByPath;
    this.#add(fields, '', 1);
  }

  /** Whether the document had any of the rule's paths, those that end in `.*` aside. */
  concerns(rule: object): boolean {
    return this.#rules.has(rule);
  }

  #add(object: object, prefix: string, depth: number): void {
    for (const key of Object.keys(object)) {
      const value = (object as Record<string, unknown>)[key];
      if (value === null || value === undefined || value === '') continue;
      const path = prefix + key;
      if (isObject(value) && depth < MAX_DEPTH) this.#add(value, `${path}.`, depth + 1);
      else this.#keep(path, value);
    }
  }

  #keep(path: string, value: unknown): void {
    const fits = this.#leaves.size < MAX_FIELDS && path.length <= MAX_PATH;
    if (!fits || this.#leaves.has(path)) {
      this.left++;
      return;
    }
    this.#leaves.set(path, value);
    for (const rule of this.#rulesByPath.get(path) ?? []) this.#rules.add(rule);
  }

  has(path: string): boolean {
    return this.#leaves.has(path);
  }

  peek(path: string): Leaf {
    return this.#leaves.get(path);
  }

  take(path: string): Leaf {
    const value = this.#leaves.get(path);
    this.#leaves.delete(path);
    return value;
  }

  /** All below `prefix.`, taken, by what stands behind it. */
  takeBelow(prefix: string): [name: string, value: Leaf][] {
    const found: [string, Leaf][] = [];
    if (this.#leaves.size === 0) return found;
    for (const path of this.#leaves.keys()) {
      if (path.startsWith(prefix) && path[prefix.length] === '.') {
        found.push([path.slice(prefix.length + 1), this.take(path)]);
      }
    }
    return found;
  }

  /** What nobody took. */
  rest(): IterableIterator<[path: string, value: Leaf]> {
    return this.#leaves.entries();
  }
}

function isObject(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof ExactNumber)
  );
}

/** A scalar as text; null for lists, objects and what is empty. */
export function textOf(leaf: Leaf): string | null {
  if (typeof leaf === 'string') return leaf === '' ? null : leaf;
  if (typeof leaf === 'number' || typeof leaf === 'boolean') return String(leaf);
  return leaf instanceof ExactNumber ? leaf.source : null;
}

/** A number, also one written as a text; null: none. */
export function numberOf(leaf: Leaf): number | null {
  if (typeof leaf === 'number') return leaf;
  if (leaf instanceof ExactNumber) return leaf.rounded;
  return typeof leaf === 'string' && /^-?\d+(\.\d+)?$/.test(leaf) ? Number(leaf) : null;
}
