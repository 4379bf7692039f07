import { expect, it } from 'vitest';
import {
  hostsShown,
  MATRIX_CELLS_MAX,
  MATRIX_HOSTS_MAX,
  MATRIX_STEPS_MAX,
} from '../../src/domain/matrix.ts';

it('a board has fewer rows the more columns it has', () => {
  expect(hostsShown(0)).toBe(MATRIX_HOSTS_MAX);
  expect(hostsShown(7)).toBe(MATRIX_HOSTS_MAX);
  expect(hostsShown(MATRIX_STEPS_MAX)).toBe(MATRIX_CELLS_MAX / MATRIX_STEPS_MAX);
});
