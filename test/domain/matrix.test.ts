import { expect, it } from 'vitest';
import {
  hostsShown,
  MATRIX_CELLS_MAX,
  MATRIX_HOSTS_MAX,
  MATRIX_STEPS_MAX,
  MatrixWeight,
} from '../../src/domain/fold/board-bounds.ts';

it('a board has fewer rows the more columns it has', () => {
  expect(hostsShown(0)).toBe(MATRIX_HOSTS_MAX);
  expect(hostsShown(7)).toBe(MATRIX_HOSTS_MAX);
  expect(hostsShown(MATRIX_STEPS_MAX)).toBe(MATRIX_CELLS_MAX / MATRIX_STEPS_MAX);
});

it('boards of one call that are too much together are refused [B3]', () => {
  const weight = new MatrixWeight();
  const board = { steps: ['s'], hosts: ['a'], cells: 'S'.repeat(12 * 1_024 * 1_024) };
  weight.add(board);
  weight.add(board);
  expect(() => weight.add(board)).toThrow(expect.objectContaining({ code: 'QUERY_TOO_COMPLEX' }));
});
