/**
 * What an operation may ask for. The same on every transport, for all of them go through
 * `graphql.ts`: it prepares documents within these limits, and checks the cost before it runs one.
 */
import { ShiplogError } from '../../domain/errors.ts';
import type { Cost } from './cost.ts';

export interface Limits {
  /** Characters of a document. Longer ones carry data that belongs into variables. */
  sourceLength: number;
  /** Lexical tokens of a document. graphql-js's parser overflows its stack above 1,500. */
  tokens: number;
  /** Aliases in a document: the cheap way to ask for the same many times. */
  aliases: number;
  /** Fields nested in each other. Introspection is bounded by a rule of graphql-js instead. */
  depth: number;
  /** Fields selected in all, fragments counted where they are spread. */
  breadth: number;
  /** Fields × the rows they are asked for. */
  complexity: number;
  /** Subscriptions of one token at a time, half of what the server has for all. */
  subscriptionsOfToken: number;
  /** Errors in an answer to an operation that was refused. */
  errors: number;
  /** Errors do not suggest names of the schema ("Did you mean …?"). */
  hideSuggestions: boolean;
}

export const DEFAULT_LIMITS: Readonly<Limits> = {
  sourceLength: 65_536,
  tokens: 1_000,
  aliases: 30,
  depth: 12,
  breadth: 500,
  complexity: 200_000,
  subscriptionsOfToken: 25_000,
  errors: 5,
  hideSuggestions: false,
};

/** Throws QUERY_TOO_COMPLEX, saying which limit and by how much. */
export function checkCost(cost: Cost, limits: Limits): void {
  for (const measure of ['depth', 'breadth', 'complexity'] as const) {
    if (cost[measure] > limits[measure]) {
      throw new ShiplogError(
        'QUERY_TOO_COMPLEX',
        `the operation's ${measure} is ${cost[measure]}, at most ${limits[measure]} is allowed: ask for fewer rows or fields`,
      );
    }
  }
}
