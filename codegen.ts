/**
 * Writes the files that follow from the code: the printed schema, the types and texts of the
 * command line's and the console's operations, the README's table of options, and the list of error codes. With
 * `--check` it only says which of them are out of date.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generate } from '@graphql-codegen/cli';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { configTable } from './src/config.ts';
import { ERROR_CODES, PROBLEM_CODES } from './src/domain/errors.ts';
import { buildSchema } from './src/graphql/schema.ts';

function read(path: string): string {
  const file = new URL(path, import.meta.url);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function schemaText(): string {
  return `${printSchema(lexicographicSortSchema(buildSchema()))}\n`;
}

/**
 * Of a client that has its operations in `folder`. Rejects, with file and line, where one does not
 * fit the schema.
 */
async function clientTypes(folder: string, jsonObject: string): Promise<string> {
  const files = (await generate(
    {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      silent: true,
      schema: schemaText(),
      documents: `${folder}/operations/*.graphql`,
      generates: {
        [`${folder}/gen/`]: {
          preset: 'client',
          presetConfig: { fragmentMasking: false },
          config: {
            // Texts, not syntax trees: the command line runs without the graphql package.
            documentMode: 'string',
            importExtension: '.ts',
            useTypeImports: true,
            strictScalars: true,
            scalars: {
              // As an input an ID would be a number too.
              ID: { input: 'string', output: 'string' },
              DateTime: 'string',
              JSONObject: jsonObject,
            },
          },
        },
      },
    },
    false,
  )) as { filename: string; content: string }[];
  // The preset's other files map texts to types at run time; we import the constants.
  const file = files.find(({ filename }) => filename.endsWith('/graphql.ts'));
  if (file === undefined) throw new Error('the generator made no graphql.ts');
  return `${file.content.trimEnd()}\n`;
}

function readme(): string {
  const [before = '', rest = ''] = read('README.md').split(/(?<=<!-- options:[^\n]*-->\n)/);
  const after = rest.slice(rest.indexOf('<!-- /options -->'));
  return `${before}\n${configTable()}\n\n${after}`;
}

function errorList(): string {
  const refusals = Object.entries(ERROR_CODES).map(
    ([code, { status, meaning }]) => `| \`${code}\` | ${status} | ${meaning} |`,
  );
  const problems = Object.entries(PROBLEM_CODES).map(
    ([code, meaning]) => `| \`${code}\` | ${meaning} |`,
  );
  return `# Errors

Made by \`npm run codegen\` from \`src/domain/errors.ts\`.

## A request that was refused whole

In GraphQL \`errors[].extensions.code\`, with \`field\` where one is to blame and \`retryAfterMs\` where
the same request may succeed later. Over plain HTTP \`error.code\`, with the status below and
\`Retry-After\`. GraphQL over HTTP answers with these statuses where the client accepts
\`application/graphql-response+json\` and nothing came of the operation. Otherwise it answers 200, but for what is
refused before the operation is read: a body or address that cannot be taken, no token, a foreign Origin.
GraphQL has two codes more, of [persisted queries](clients.md#persisted-queries).

| code | HTTP status | meaning |
|---|---|---|
${refusals.join('\n')}

## One event that was REJECTED

In \`error.code\` of its result; \`field\` is a path such as \`error.message\`. Its neighbours were taken.
Sending it again as it is gives the same answer.

| code | meaning |
|---|---|
${problems.join('\n')}
`;
}

const outputs: Record<string, () => string | Promise<string>> = {
  'schema.graphql': schemaText,
  'src/cli/gen/graphql.ts': () => clientTypes('src/cli', '../../domain/event/event.ts#JsonObject'),
  // The console imports nothing of the server's.
  'src/ui/gen/graphql.ts': () => clientTypes('src/ui', 'Record<string, unknown>'),
  'README.md': readme,
  'docs/errors.md': errorList,
};

const check = process.argv.includes('--check');
for (const [path, make] of Object.entries(outputs)) {
  const text = await make();
  if (read(path) === text) continue;
  if (check) {
    console.error(`${path} is not what the code says: run \`npm run codegen\`.`);
    process.exitCode = 1;
  } else {
    const file = new URL(path, import.meta.url);
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
}
