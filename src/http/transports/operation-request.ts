/** An operation as it was sent, read from a body or an address, with what is wrong about it named. */
import { ShiplogError } from '../../domain/errors.ts';
import { parseExactJson } from '../../domain/event/exact-number.ts';
import type { OperationRequest } from './operations.ts';

/** From a parsed JSON body. Throws BAD_REQUEST that names the parameter. */
export function readOperation(body: unknown): OperationRequest {
  if (Array.isArray(body)) {
    throw badRequest('Batches of operations are not taken; logSteps takes many events', 'body');
  }
  if (!isMap(body)) throw badRequest('The body must be a JSON object with "query"', 'body');
  const { query, operationName = null, variables = null, extensions = null } = body;
  if (operationName !== null && typeof operationName !== 'string') {
    throw badRequest('"operationName" must be a text', 'operationName');
  }
  if (variables !== null && !isMap(variables)) {
    throw badRequest('"variables" must be an object', 'variables');
  }
  if (extensions !== null && !isMap(extensions)) {
    throw badRequest('"extensions" must be an object', 'extensions');
  }
  const request = { operationName, variables, extensions };
  const persisted = extensions?.persistedQuery ?? null;
  if ((query === undefined || query === null) && persisted !== null) {
    if (isPersisted(request)) return { ...request, query: null };
    throw badRequest(
      'Without "query", "extensions.persistedQuery" must have version 1 and the sha256Hash of a text',
      'extensions.persistedQuery',
    );
  }
  if (typeof query !== 'string' || query === '') {
    throw badRequest('"query" must be the text of an operation', 'query');
  }
  return { ...request, query };
}

/** From the parameters of an address. Throws BAD_REQUEST that names the parameter. */
export function readOperationFromUrl(url: URL): OperationRequest {
  const json = (name: string): unknown => {
    const text = url.searchParams.get(name);
    if (text === null || text === '') return null;
    try {
      return parseExactJson(text);
    } catch {
      throw badRequest(`"${name}" is not JSON`, name);
    }
  };
  return readOperation({
    query: url.searchParams.get('query'),
    operationName: url.searchParams.get('operationName'),
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

/** Whether it goes by the hash of a text ("automatic persisted queries", of which there is one version). */
export function isPersisted({ extensions }: Pick<OperationRequest, 'extensions'>): boolean {
  const persisted = extensions?.persistedQuery;
  return isMap(persisted) && persisted.version === 1 && typeof persisted.sha256Hash === 'string';
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badRequest(message: string, field: string): ShiplogError {
  return new ShiplogError('BAD_REQUEST', message, { field });
}
