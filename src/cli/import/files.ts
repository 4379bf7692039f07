/**
 * Lines of files, one file after another: documents, a dump with `_index`, `_id` and `_source`, what
 * would be sent to `_bulk`, or events of Shiplog's own as `shiplog export` writes them.
 */
import { hash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { CliError, messageOf } from '../exit.ts';
import { type Input, ndjsonLines, openInput } from '../ndjson.ts';
import { type Action, type DocumentReader, type ImportDocument, readAction } from './document.ts';
import { PAGE_BYTES, PAGE_DOCUMENTS, type Page, type Positions, type Source } from './source.ts';

export class FileSource implements Source {
  readonly name: string;
  readonly unit = 'bytes';
  readonly #files: readonly string[];
  readonly #reader: DocumentReader;
  #input: Input | null = null;

  constructor(files: readonly string[], reader: DocumentReader) {
    this.#files = files;
    this.#reader = reader;
    this.name = files.join(' ');
  }

  async open(
    from: Positions,
  ): Promise<{ total: number | null; about: string; replaced: string[] }> {
    let total: number | null = 0;
    const replaced: string[] = [];
    for (const file of this.#files) {
      const size = await sizeOf(file);
      total = total === null || size === null ? null : total + size;
      const isKnown = Object.keys(from).some((name) => name.slice(DIGEST_LENGTH + 1) === file);
      if (!isKnown || size === null) continue;
      if (from[positionName(file, (await firstOf(file)) ?? '')] === undefined) replaced.push(file);
    }
    return { total, about: this.name, replaced };
  }

  async close(): Promise<void> {
    this.#input?.close();
  }

  async *pages(from: Positions): AsyncGenerator<Page> {
    for (const file of this.#files) {
      try {
        yield* this.#pagesOf(file, from);
      } catch (error) {
        throw error instanceof CliError ? error : unreadable(file, error);
      }
    }
  }

  async *#pagesOf(file: string, from: Positions): AsyncGenerator<Page> {
    const input = openInput(file);
    this.#input = input;
    let documents: ImportDocument[] = [];
    let bytes = 0;
    let told = 0;
    let first: string | null = null;
    let action: Action | null = null;
    /** So many lines were delivered, and are now. */
    let after = 0;
    let last = 0;
    const page = (): Page => {
      const read = documents;
      documents = [];
      bytes = 0;
      const progress = input.bytesRead() - told;
      told += progress;
      const positions = first === null ? {} : { [positionName(file, first)]: last };
      return { documents: read, positions, progress };
    };
    for await (const { number, text } of ndjsonLines(input.chunks)) {
      if (first === null) {
        first = digestOf(text);
        after = from[positionName(file, first)] ?? 0;
        last = after;
      }
      if (number <= after || text.trim() === '') continue;
      const named: Action | null = action === null ? readAction(text) : null;
      if (named !== null) {
        action = named;
        continue;
      }
      const at = { place: `${file === '-' ? 'stdin' : file}:${number}`, file: first, number };
      documents.push(this.#reader.line(text, at, action));
      action = null;
      last = number;
      bytes += text.length;
      if (documents.length >= PAGE_DOCUMENTS || bytes >= PAGE_BYTES) yield page();
    }
    yield page();
  }
}

/** By its first line, too: another file may have got the name since, as logs do that are rotated. */
function positionName(file: string, first: string): string {
  return `${first} ${file}`;
}

/** Of the first line; null: it has none yet. */
async function firstOf(file: string): Promise<string | null> {
  const input = openInput(file);
  try {
    for await (const { text } of ndjsonLines(input.chunks)) return digestOf(text);
    return null;
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    input.close();
  }
}

/** Of a SHA-256 in base64. */
const DIGEST_LENGTH = 43;

function digestOf(line: string): string {
  return hash('sha256', line, 'base64url');
}

/** null: of what has none, such as a pipe. */
async function sizeOf(file: string): Promise<number | null> {
  if (file === '-') return null;
  try {
    const found = await stat(file);
    return found.isFile() ? found.size : null;
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): CliError {
  return new CliError(`${file} cannot be read: ${messageOf(error)}`);
}
