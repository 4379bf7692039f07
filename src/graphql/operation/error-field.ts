/**
 * Which argument or input field an error about a literal means. graphql-js points to a line and a
 * column only, and a value in a variable is named; so that both ways of asking are told the same.
 */
import { type ASTNode, BREAK, type DocumentNode, Kind, visit } from 'graphql';

/** `filter.from`, `inputs[1].at`; null where the node is no value of an argument. */
export function literalField(document: DocumentNode, target: ASTNode): string | null {
  let field: string | null = null;
  visit(document, {
    enter(node, _key, _parent, path) {
      if (node !== target) return undefined;
      field = fieldAt(document, path);
      return BREAK;
    },
  });
  return field;
}

function fieldAt(document: DocumentNode, path: readonly (string | number)[]): string | null {
  let node: unknown = document;
  let list = false;
  let field: string | null = null;
  for (const key of path) {
    node = (node as Record<string | number, unknown>)[key];
    if (list && typeof key === 'number') field = `${field}[${key}]`;
    const { kind, name } = node as { kind?: string; name?: { value: string } };
    // A field's own arguments begin anew: `filter` of a list within a list.
    if (kind === Kind.FIELD) field = null;
    if (kind === Kind.ARGUMENT) field = name?.value ?? null;
    if (kind === Kind.OBJECT_FIELD) field = `${field}.${name?.value}`;
    if (!Array.isArray(node)) list = kind === Kind.LIST;
  }
  return field;
}
