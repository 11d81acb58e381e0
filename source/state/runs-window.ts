/** Which of the runs are on the screen. */
import {tableHeight} from './layout.js';
import type {State} from './state.js';

/** The place of the run under the cursor; 0 where the list doesn't have it. */
export const runIndex = ({runs}: State): number =>
  Math.max(
    0,
    (runs.items ?? []).findIndex(item => item.run === runs.run),
  );

/** The runs scrolled as little as it takes for the cursor to be on the screen. */
export const withRunInView = (state: State): State => {
  const index = runIndex(state);
  const top = Math.max(Math.min(state.runs.top, index), index - tableHeight(state) + 1, 0);
  return {...state, runs: {...state.runs, top}};
};
