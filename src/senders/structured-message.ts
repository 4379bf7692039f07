/** A message that is no text but JSON: what of it is said, and what are fields. */
import { jsonText } from './mapping/texts.ts';

/** Where loggers put the text of what they write. */
const TEXT_NAMES = ['message', 'msg', 'log', 'MESSAGE', 'text'];

export interface StructuredMessage {
  /** What the mapping looks at. */
  fields: Record<string, unknown>;
  /** null: the mapping finds it among the fields. */
  message: string | null;
}

/** An object that has a text has fields beside it; any other value is said as its JSON. */
export function structuredMessage(value: unknown): StructuredMessage {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const fields = value as Record<string, unknown>;
    const hasText = TEXT_NAMES.some((name) => typeof fields[name] === 'string');
    if (hasText) return { fields, message: null };
  }
  return { fields: {}, message: jsonText(value) };
}
