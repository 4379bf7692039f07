/** The fold, in one place to import from: events in, states and views out. */
export * from './derive-run.ts';
export * from './derive-task.ts';
export * from './fold-run.ts';
export * from './fold-task.ts';
export { MAX_STEPS_PER_RUN } from './run-bounds.ts';

/**
 * Of the states and of what is derived from them: counted up when either changes, so that engines
 * fold anew what an older Shiplog has stored.
 */
export const FOLD_VERSION = 2;
