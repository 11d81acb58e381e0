/** What every view is given. */
import type {State} from '../source/state/state.js';

export type ViewProps = {state: State; width: number; height: number};
