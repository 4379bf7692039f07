/**
 * Every object type's name and what stands behind it, so that the files of `types/` can refer to
 * each other's types in any order. Fields are added there, one file per noun.
 */
import type { Progress, StepError, StoredEvent } from '../domain/event/event.ts';
import type {
  AttemptView,
  Completeness,
  EventHistogram,
  FailureGroup,
  HostReliability,
  HostView,
  RunCounts,
  RunView,
  StepStats,
  StepSummary,
  StepView,
  TaskMatrix,
  TaskView,
} from '../domain/fold/views.ts';
import type { SearchQuery, TextRange } from '../domain/search/search.ts';
import { builder } from './builder.ts';

export const TaskRef = builder.objectRef<TaskView>('Task');
export const RunRef = builder.objectRef<RunView>('Run');
export const StepRef = builder.objectRef<StepView>('Step');
/** A host that only a plan names was never seen: it has no times. */
export type HostShape = Omit<HostView, 'firstSeenAt' | 'lastSeenAt'> & {
  firstSeenAt: number | null;
  lastSeenAt: number | null;
};
export const HostRef = builder.objectRef<HostShape>('Host');
/** An event, with the search that found it (for the highlights). */
export interface EventShape {
  event: StoredEvent;
  search: SearchQuery | null;
}
export const EventRef = builder.objectRef<EventShape>('StepEvent');

export const AttemptRef = builder.objectRef<AttemptView>('StepAttempt');
export const StepErrorRef = builder.objectRef<StepError>('StepError');
export const ProgressRef = builder.objectRef<Progress>('Progress');
export const CompletenessRef = builder.objectRef<Completeness>('Completeness');
export const SequenceRangeRef = builder.objectRef<Completeness['missing'][number]>('SequenceRange');
export const TextRangeRef = builder.objectRef<TextRange>('TextRange');
export const RunCountsRef = builder.objectRef<RunCounts>('RunCounts');
export const StepSummaryRef = builder.objectRef<StepSummary>('StepSummary');
export interface MatrixShape {
  matrix: TaskMatrix;
  cursor: string;
}
export const MatrixRef = builder.objectRef<MatrixShape>('TaskMatrix');
export const ReliabilityRef = builder.objectRef<HostReliability>('HostReliability');
export const StepStatsRef = builder.objectRef<StepStats>('StepStats');
export const HistogramRef = builder.objectRef<EventHistogram>('EventHistogram');
export const FailureGroupRef = builder.objectRef<FailureGroup>('FailureGroup');
