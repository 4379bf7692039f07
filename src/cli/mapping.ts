/**
 * `shiplog mapping try FILE < documents`: what would be stored of documents, without a server.
 * Documents are JSON objects, one a line; action lines of `_bulk` name the index of the next one.
 */
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import { parseExactJson } from '../domain/event/exact-number.ts';
import { parseStepEvent } from '../domain/event/input.ts';
import { isTaskLine } from '../domain/event/task-input.ts';
import { SOURCE_KINDS, type SourceKind } from '../senders/foreign-document.ts';
import { loadMappings } from '../senders/mapping/load-mappings.ts';
import { mapDocument } from '../senders/mapping/map-document.ts';
import type { Mappings } from '../senders/mapping/mappings.ts';
import { MISFIT_REASONS, type Misfit } from '../senders/mapping/misfits.ts';
import { CliError, EXIT, messageOf } from './exit.ts';
import { say } from './output.ts';

interface TryOptions {
  index?: string;
  kind: SourceKind;
}

export function registerMapping(program: Command): void {
  const mapping = program
    .command('mapping')
    .description('mappings of documents that others send (docs/senders/mapping.md)');
  mapping
    .command('try')
    .description('read documents from standard input and print the events that they become')
    .argument('[file]', 'mapping file; without one the built-in mapping is tried')
    .option('--index <name>', 'index that the documents are sent to')
    .addOption(
      new Option('--kind <protocol>', 'protocol that they come by')
        .choices(SOURCE_KINDS)
        .default('elasticsearch'),
    )
    .action(tryMapping);
}

async function tryMapping(file: string | undefined, options: TryOptions): Promise<void> {
  const mappings = mappingsOf(file ?? null);
  let index = options.index ?? null;
  let unreadable = 0;
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const fields = readFields(line);
    if (fields === null) {
      say(`shiplog: no JSON object: ${line.slice(0, 100)}`);
      unreadable++;
      continue;
    }
    const action = actionIndex(fields);
    if (action !== undefined) index = action ?? options.index ?? null;
    else show(fields, index, options.kind, mappings);
  }
  if (unreadable > 0) process.exitCode = EXIT.failed;
}

/** A file with mistakes is a wrong argument. */
export function mappingsOf(file: string | null): Mappings {
  try {
    return loadMappings(file);
  } catch (error) {
    throw new CliError(messageOf(error), EXIT.usage);
  }
}

function show(
  fields: Record<string, unknown>,
  index: string | null,
  kind: SourceKind,
  mappings: Mappings,
): void {
  const receivedAt = Date.now();
  const mapping = mappings.for({ index, kind });
  const document = { kind, index, identity: null, fields, receivedAt };
  const { event, misfits } = mapDocument(document, mapping, '192.0.2.1');
  showMapped(event, misfits);
}

/** What would be stored on stdout, what does not fit on stderr. */
export function showMapped(
  event: Readonly<Record<string, unknown>>,
  misfits: readonly Misfit[],
): void {
  const at = typeof event.at === 'number' ? { at: new Date(event.at).toISOString() } : {};
  process.stdout.write(`${JSON.stringify({ ...event, ...at }, null, 2)}\n`);
  for (const { reason, field } of misfits) say(`shiplog: ${field}: ${MISFIT_REASONS[reason]}`);
  if (isTaskLine(event)) return;
  const parsed = parseStepEvent(event, Date.now());
  if (!parsed.ok) say(`shiplog: would be rejected: ${parsed.problem.message}`);
}

function readFields(line: string): Record<string, unknown> | null {
  try {
    // A mark at the beginning of a file is no text.
    const value = parseExactJson(line.startsWith('\ufeff') ? line.slice(1) : line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The index of an action line of `_bulk`, null where it names none; undefined: it is none. */
function actionIndex(fields: Record<string, unknown>): string | null | undefined {
  const [name, ...more] = Object.keys(fields);
  if (more.length > 0 || (name !== 'index' && name !== 'create')) return undefined;
  const action = fields[name];
  if (typeof action !== 'object' || action === null) return undefined;
  const index = (action as { _index?: unknown })._index;
  return typeof index === 'string' ? index : null;
}
