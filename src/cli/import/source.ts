/** Where documents are read from, a page at a time, and how far that is. */
import type { ImportDocument } from './document.ts';

/** By what is read in order (a shard, a file): everything up to here was delivered. */
export type Positions = Readonly<Record<string, number>>;

export interface Page {
  documents: ImportDocument[];
  /**
   * Where the source stands behind it; those that are not named stand where they stood. None: the page
   * is read again by the next import.
   */
  positions: Positions;
  /** How much of `total` the page is. */
  progress: number;
}

export interface Source {
  /** For people and for the state: what is read; no credentials. */
  readonly name: string;
  readonly unit: 'documents' | 'bytes';
  /**
   * `total` null: nobody knows. `replaced`: what the positions were of is there no more, and another
   * has its name, which is read from its beginning. Throws CliError where it cannot be read.
   */
  open(from: Positions): Promise<{ total: number | null; about: string; replaced: string[] }>;
  /** In an order that stays the same, from behind the positions. */
  pages(from: Positions): AsyncGenerator<Page>;
  /** Lets go of what it reads, also in the middle of it. Never rejects. */
  close(): Promise<void>;
}

/** Documents, and bytes of them, that are read and delivered at a time. */
export const PAGE_DOCUMENTS = 4_000;
export const PAGE_BYTES = 8 * 1_024 * 1_024;
