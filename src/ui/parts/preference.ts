/** A choice that is kept in the browser for the next time. */
import { Cell } from './cell.ts';

export function preference<T extends string>(key: string, values: readonly T[], first: T): Cell<T> {
  const cell = new Cell<T>(stored(key, values) ?? first);
  cell.listen(() => {
    try {
      localStorage.setItem(key, cell.value);
    } catch {
      // It holds until the page is left.
    }
  });
  return cell;
}

function stored<T extends string>(key: string, values: readonly T[]): T | null {
  try {
    const text = localStorage.getItem(key);
    return values.find((value) => value === text) ?? null;
  } catch {
    return null;
  }
}
