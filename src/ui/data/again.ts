/** When to ask again what failed, or what may have changed meanwhile: the server came back, or a token was given. */
import { Cell, useCell } from '../parts/cell.ts';
import { connection } from './socket.ts';
import { token } from './token.ts';

/** Counts the occasions. */
export const again = new Cell(0);

let last = connection.value.state;
connection.listen(() => {
  const { state } = connection.value;
  if (state === 'live' && last !== 'live' && last !== 'idle') again.value++;
  last = state;
});
token.listen(() => {
  again.value++;
});

export function useAgain(): number {
  return useCell(again);
}
