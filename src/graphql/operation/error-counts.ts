/** How many errors of each code clients were told: over HTTP all of them look like a 200. */
import type { GraphQLError } from 'graphql';
import { ERROR_CODES } from '../../domain/errors.ts';

export class ErrorCounts {
  readonly #counts = new Map<string, number>(Object.keys(ERROR_CODES).map((code) => [code, 0]));

  count(errors: readonly GraphQLError[]): void {
    for (const { extensions } of errors) {
      const code = typeof extensions.code === 'string' ? extensions.code : 'INTERNAL';
      this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    }
  }

  /** For /metrics. */
  read(): Record<string, number> {
    return Object.fromEntries(
      [...this.#counts].map(([code, count]) => [`graphql_errors_total{code="${code}"}`, count]),
    );
  }
}
