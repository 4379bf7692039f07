import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import * as client from '../../src/cli/gen/graphql.ts';

const sdl = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');
const schema = buildSchema(sdl);
const operations = Object.entries(client).filter(([name]) => name.endsWith('Document'));

it.each(operations)('%s, as the command line sends it, fits the schema', (_, text) => {
  expect(validate(schema, parse(text.toString())).map(String)).toEqual([]);
});
