/** What coercing the variables of a batch costs, compiled and by graphql-js itself. */
import { getVariableValues, type OperationDefinitionNode, parse } from 'graphql';
import { compileVariables } from '../../src/graphql/operation/coerce.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { anEvent } from '../events.ts';
import { atLeast, type Measurement, median, pairedRatio } from '../row.ts';

const ROUNDS = 9;
const BATCHES = 400;
const EVENTS = 100;
const QUERY = `mutation ($inputs: [StepEventInput!]!) { logSteps(inputs: $inputs) { stored } }`;

/** Microseconds of one batch. */
function time(coerce: (variables: { inputs: object[] }) => unknown): number {
  const batches = Array.from({ length: BATCHES }, () => ({
    // As it comes: parsed from JSON.
    inputs: JSON.parse(
      JSON.stringify(Array.from({ length: EVENTS }, () => anEvent('bench', 'web-1'))),
    ) as object[],
  }));
  const began = performance.now();
  for (const batch of batches) {
    if (coerce(batch) === null) throw new Error('the compiled way does not answer');
  }
  return ((performance.now() - began) / BATCHES) * 1_000;
}

export const coercion: Measurement = {
  name: 'coercion',
  about: `the variables of a logSteps of ${EVENTS} coerced, against graphql-js`,
  async run({ say }) {
    const schema = buildSchema();
    const operation = parse(QUERY).definitions[0] as OperationDefinitionNode;
    const compiled = compileVariables(schema, operation);
    const definitions = operation.variableDefinitions ?? [];
    const ours: number[] = [];
    const theirs: number[] = [];
    // The first round is for the compiler of the runtime.
    for (let round = 0; round <= ROUNDS; round++) {
      say(`round ${round} of ${ROUNDS}`);
      const [own, peer] = [
        time(compiled),
        time((raw) => getVariableValues(schema, definitions, raw)),
      ];
      if (round === 0) continue;
      ours.push(own);
      theirs.push(peer);
    }
    const ratio = pairedRatio(theirs, ours);
    return [
      {
        what: `variables of ${EVENTS} events: µs`,
        ours: median(ours),
        peer: median(theirs),
        ratio,
        // Less is not worth a second way to coerce.
        aim: atLeast(ratio, 2, '×'),
        note: 'peer: graphql-js',
      },
    ];
  },
};
