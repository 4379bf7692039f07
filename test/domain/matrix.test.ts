import { describe, expect, it } from 'vitest';
import {
  boundedMatrix,
  hostsShown,
  MATRIX_CELLS_MAX,
  MATRIX_HOSTS_MAX,
  MATRIX_STEPS_MAX,
} from '../../src/domain/matrix.ts';

describe('A board that is too large', () => {
  it('loses its last columns, and each row with them', () => {
    const width = MATRIX_STEPS_MAX + 2;
    const steps = Array.from({ length: width }, (_, i) => `s${i}`);
    const rows = ['S', 'F'].map((letter) => `${letter.repeat(MATRIX_STEPS_MAX)}--`);
    const board = boundedMatrix({ steps, hosts: ['a', 'b'], cells: rows.join('') });
    expect(board.steps).toEqual(steps.slice(0, MATRIX_STEPS_MAX));
    expect(board.hosts).toEqual(['a', 'b']);
    expect(board.cells).toBe('S'.repeat(MATRIX_STEPS_MAX) + 'F'.repeat(MATRIX_STEPS_MAX));
  });

  it('loses its last rows', () => {
    const hosts = Array.from({ length: MATRIX_HOSTS_MAX + 1 }, (_, i) => `h${i}`);
    const board = boundedMatrix({ steps: ['s'], hosts, cells: `${'R'.repeat(MATRIX_HOSTS_MAX)}F` });
    expect(board.hosts).toEqual(hosts.slice(0, MATRIX_HOSTS_MAX));
    expect(board.cells).toBe('R'.repeat(MATRIX_HOSTS_MAX));
  });

  it('has fewer rows the more columns it has', () => {
    expect(hostsShown(0)).toBe(MATRIX_HOSTS_MAX);
    expect(hostsShown(7)).toBe(MATRIX_HOSTS_MAX);
    expect(hostsShown(MATRIX_STEPS_MAX)).toBe(MATRIX_CELLS_MAX / MATRIX_STEPS_MAX);
  });

  it('is the same one where it is not too large', () => {
    const board = { steps: ['s'], hosts: ['a'], cells: 'S' };
    expect(boundedMatrix(board)).toBe(board);
  });
});
