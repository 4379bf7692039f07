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

  async open(): Promise<{ total: number | null; about: string }> {
    let total: number | null = 0;
    for (const file of this.#files) {
      const size = await sizeOf(file);
      total = total === null || size === null ? null : total + size;
    }
    return { total, about: this.name };
  }

  async close(): Promise<void> {
    this.#input?.close();
  }

  async *pages(from: Positions): AsyncGenerator<Page> {
    for (const file of this.#files) {
      try {
        yield* this.#pagesOf(file, from[file] ?? 0);
      } catch (error) {
        throw error instanceof CliError ? error : unreadable(file, error);
      }
    }
  }

  /** `after`: so many lines were delivered. */
  async *#pagesOf(file: string, after: number): AsyncGenerator<Page> {
    const input = openInput(file);
    this.#input = input;
    let documents: ImportDocument[] = [];
    let bytes = 0;
    let told = 0;
    let first: string | null = null;
    let action: Action | null = null;
    let last = after;
    const page = (): Page => {
      const read = documents;
      documents = [];
      bytes = 0;
      const progress = input.bytesRead() - told;
      told += progress;
      return { documents: read, positions: { [file]: last }, progress };
    };
    for await (const { number, text } of ndjsonLines(input.chunks)) {
      first ??= hash('sha256', text, 'base64url');
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
