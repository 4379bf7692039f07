/** Which mapping a document has: by its index or the protocol that it came by. */
import type { ForeignDocument, SourceKind } from '../foreign-document.ts';
import { DEFAULT_MAPPING } from './default-mapping.ts';
import type { Mapping } from './mapping.ts';

/** One that names neither is for all. */
export interface MappingChoice {
  /** Patterns of indices, with `*` for any characters; empty: any, and none. */
  indices: readonly string[];
  kinds: readonly SourceKind[];
  mapping: Mapping;
}

/** Indices whose mapping is remembered. */
const REMEMBERED = 1_000;

export class Mappings {
  readonly #choices: readonly (MappingChoice & { patterns: readonly RegExp[] })[];
  readonly #found = new Map<string, Mapping>();

  /** The first choice that fits holds; where none does, the built-in mapping. */
  constructor(choices: readonly MappingChoice[] = []) {
    this.#choices = choices.map((choice) => ({
      ...choice,
      patterns: choice.indices.map(patternOf),
    }));
  }

  for({ index, kind }: Pick<ForeignDocument, 'index' | 'kind'>): Mapping {
    if (this.#choices.length === 0) return DEFAULT_MAPPING;
    const key = `${kind} ${index}`;
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const choice = this.#choices.find(
      ({ patterns, kinds }) =>
        (kinds.length === 0 || kinds.includes(kind)) &&
        (patterns.length === 0 || (index !== null && patterns.some((one) => one.test(index)))),
    );
    const mapping = choice?.mapping ?? DEFAULT_MAPPING;
    if (this.#found.size >= REMEMBERED) this.#found.clear();
    this.#found.set(key, mapping);
    return mapping;
  }
}

function patternOf(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}
