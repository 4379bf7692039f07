/** The fold, in one place to import from: events in, states and views out. */
export * from './derive-run.ts';
export * from './derive-task.ts';
export * from './fold-run.ts';
export * from './fold-task.ts';
