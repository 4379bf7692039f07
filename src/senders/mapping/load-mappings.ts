/** The mappings of a server or a command: those of the file, or the built-in one alone. */
import { readFileSync } from 'node:fs';
import { ShiplogError } from '../../domain/errors.ts';
import { parseMappingFile } from './mapping-file.ts';
import { Mappings } from './mappings.ts';

/** Throws BAD_INPUT with all that is wrong. */
export function loadMappings(file: string | null): Mappings {
  if (file === null) return new Mappings();
  const parsed = parseMappingFile(readText(file));
  if ('ok' in parsed) return new Mappings(parsed.ok);
  throw new ShiplogError(
    'BAD_INPUT',
    `The mapping file ${file} (SHIPLOG_MAPPING_FILE) has mistakes:\n${parsed.problems.map((one) => `  ${one}`).join('\n')}`,
    { field: 'SHIPLOG_MAPPING_FILE' },
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ShiplogError(
      'BAD_INPUT',
      `The mapping file ${file} (SHIPLOG_MAPPING_FILE) cannot be read: ${(error as Error).message}`,
      { field: 'SHIPLOG_MAPPING_FILE', cause: error },
    );
  }
}
