/**
 * Which scopes an operation needs, by its root fields; checked in one place (`graphql.ts`).
 * A mutation answers with its task's own fields, but what leads further from there (runs, events,
 * counts) is reading: otherwise a token that may only report could read everything.
 */
import {
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Scope } from '../viewer.ts';

export function scopesOf(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
): ReadonlySet<Scope> {
  const scopes = new Set<Scope>();
  const seen = new Set<SelectionSetNode>();

  function walk({ selections }: SelectionSetNode, type: GraphQLNamedType, isRoot: boolean): void {
    for (const selection of selections) {
      if (selection.kind !== 'Field') {
        const fragment =
          selection.kind === 'InlineFragment' ? selection : fragments[selection.name.value];
        if (fragment === undefined || seen.has(fragment.selectionSet)) continue;
        seen.add(fragment.selectionSet);
        walk(fragment.selectionSet, type, isRoot);
        continue;
      }
      // Introspection tells nothing that /schema.graphql does not.
      const field = isObjectType(type) ? type.getFields()[selection.name.value] : undefined;
      if (field === undefined) continue;
      if (isRoot) scopes.add(operation.operation === 'mutation' ? 'ingest' : 'read');
      if (operation.operation !== 'mutation') continue;
      const next = getNamedType(field.type);
      if (type.name === 'Task' && !isLeafType(next)) scopes.add('read');
      if (selection.selectionSet !== undefined) walk(selection.selectionSet, next, false);
    }
  }

  const root = schema.getRootType(operation.operation);
  if (root) walk(operation.selectionSet, root, true);
  return scopes;
}
