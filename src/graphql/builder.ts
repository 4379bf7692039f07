/** The schema builder: scalars and plugins, no types. Fields are non-null unless they say so. */
import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import type { JsonObject } from '../domain/event/event.ts';
import type { Context } from './context.ts';

export interface SchemaShape {
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    /** Epoch milliseconds inside. */
    /** In, a text where it names a moment before all reports; see `scalars.ts`. */
    DateTime: { Input: number | string; Output: number };
    JSONObject: { Input: JsonObject; Output: JsonObject };
  };
}

export const builder = new SchemaBuilder<SchemaShape>({
  plugins: [ComplexityPlugin],
  defaultFieldNullability: false,
  // Costs are declared on fields with the plugin and counted by `cost.ts`, before execution and
  // once for a whole subscription; the plugin would count again at every root field.
  complexity: { disabled: true, defaultComplexity: 1, defaultListMultiplier: 10 },
});
