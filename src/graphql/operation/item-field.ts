/**
 * Fields whose values are judged item by item. What GraphQL itself refuses of a list, it refuses
 * with the whole request: one unreadable time of a thousand events would hold up the sender for
 * ever. A value of the right kind that the type cannot hold (a time that is none, a number above
 * 32 bits, a word that the enum does not have) is handed on as it is, and `domain/event/input.ts` says of
 * that one event what is wrong with it, as it does on `/v1/events`.
 */
import type { GraphQLInputField } from 'graphql';
import { ExactNumber } from '../../domain/event/exact-number.ts';

/** What of JSON a field takes. */
export type ItemKind = 'number' | 'text' | 'time';

const KEY = 'judgedAs';

/** For the `extensions` of an input field. */
export function judgedByItem(kind: ItemKind): { extensions: Record<string, ItemKind> } {
  return { extensions: { [KEY]: kind } };
}

export function isJudgedByItem({ extensions }: GraphQLInputField): boolean {
  return KEY in extensions;
}

/** Whether the value is handed on though its type refuses it. */
export function isForItem({ extensions }: GraphQLInputField, value: unknown): boolean {
  const isNumber = typeof value === 'number' || value instanceof ExactNumber;
  switch (extensions[KEY] as ItemKind | undefined) {
    case 'number':
      return isNumber;
    case 'text':
      return typeof value === 'string';
    case 'time':
      return isNumber || typeof value === 'string';
    case undefined:
      return false;
  }
}
