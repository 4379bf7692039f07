/**
 * What an operation asks for, counted before it runs: on the document and its variables alone, so
 * once for a whole subscription. Fields declare their cost with the complexity plugin's option.
 */
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isObjectType,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type VariableValues,
} from 'graphql';

export interface Cost {
  depth: number;
  breadth: number;
  complexity: number;
}

export interface MeasuredCost extends Cost {
  /** The sizes of pages come from variables, so another call may cost something else. */
  varies: boolean;
}

interface Price {
  field: number;
  multiplier: number;
}
type DeclaredPrice = number | Partial<Price> | ((args: object) => number | Partial<Price>);

const NOTHING: Cost = { depth: 0, breadth: 0, complexity: 0 };

/** The document must be valid. Introspection costs nothing here: it is bounded by its own rule. */
export function measureCost(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
  variables: VariableValues,
): MeasuredCost {
  // A fragment that spreads another twice, and so on, is exponential unless counted once.
  const known = new Map<SelectionSetNode, Map<GraphQLNamedType, Cost>>();
  let varies = false;

  function priceOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Price {
    let price = field.extensions.complexity as DeclaredPrice | undefined;
    if (typeof price === 'function') {
      varies ||= node.arguments?.some(({ value }) => value.kind === 'Variable') ?? false;
      price = price(argumentsOf(field, node, variables));
    }
    if (typeof price === 'number') return { field: price, multiplier: 1 };
    return { field: price?.field ?? 1, multiplier: Math.max(price?.multiplier ?? 1, 0) };
  }

  function ofField(node: FieldNode, parent: GraphQLNamedType): Cost {
    const name = node.name.value;
    const field = isObjectType(parent) ? parent.getFields()[name] : undefined;
    if (field === undefined) return name === '__typename' ? { ...NOTHING, breadth: 1 } : NOTHING;
    const price = priceOf(field, node);
    const below =
      node.selectionSet === undefined
        ? NOTHING
        : ofSelections(node.selectionSet, getNamedType(field.type));
    return {
      depth: below.depth + 1,
      breadth: below.breadth + 1,
      complexity: price.field + price.multiplier * below.complexity,
    };
  }

  function ofSelections(set: SelectionSetNode, type: GraphQLNamedType): Cost {
    let byType = known.get(set);
    const before = byType?.get(type);
    if (before !== undefined) return before;
    if (byType === undefined) {
      byType = new Map();
      known.set(set, byType);
    }
    const sum = { ...NOTHING };
    for (const selection of set.selections) {
      let cost: Cost;
      if (selection.kind === 'Field') {
        cost = ofField(selection, type);
      } else {
        const fragment =
          selection.kind === 'InlineFragment' ? selection : fragments[selection.name.value];
        const on = fragment?.typeCondition?.name.value;
        cost =
          fragment === undefined
            ? NOTHING
            : ofSelections(
                fragment.selectionSet,
                on === undefined ? type : (schema.getType(on) ?? type),
              );
      }
      sum.depth = Math.max(sum.depth, cost.depth);
      sum.breadth += cost.breadth;
      sum.complexity += cost.complexity;
    }
    byType.set(type, sum);
    return sum;
  }

  const root = schema.getRootType(operation.operation);
  const cost = root ? ofSelections(operation.selectionSet, root) : NOTHING;
  return { ...cost, varies };
}

/**
 * An argument that cannot be read is refused when the field runs; until then it costs as if it were
 * absent.
 */
function argumentsOf(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: VariableValues,
): object {
  try {
    return getArgumentValues(field, node, variables);
  } catch {
    return {};
  }
}
