/** Another process comes after the one that died: it looks at the history, and finishes the run or takes it back. */
import {openConnector} from '../../connectors/index.js';
import {configFromObject} from '../../source/config/load.js';
import {verifyState} from '../../source/engine/disk/verify.js';
import {type FullEngine, openEngine} from '../../source/engine/engine.js';
import type {RunResult, RunSummary} from '../../source/types.js';
import type {Place} from './child.js';
import type {Scenario} from './scenario.js';

/** Calls `work` with an engine of its own on the scenario's store and state directory. */
export const withEngine = async <T>(
  scenario: Scenario,
  place: Place,
  work: (engine: FullEngine) => Promise<T>,
): Promise<T> => {
  const {config} = configFromObject({environment: 'test', stores: scenario.stores});
  const engine = openEngine(config, {stateDirectory: place.state, open: openConnector});
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
};

export const historyOf = (scenario: Scenario, place: Place): Promise<RunSummary[]> =>
  withEngine(scenario, place, engine => engine.history());

/** What `history --verify` finds wrong. */
export const alterations = (place: Place): Promise<string[]> => verifyState(place.state);

export const undo = (scenario: Scenario, place: Place, run: string): Promise<RunResult> =>
  withEngine(scenario, place, async engine => engine.run(await engine.planUndo(run)));

export const resume = (scenario: Scenario, place: Place, run: string): Promise<RunResult> =>
  withEngine(scenario, place, async engine => engine.run(await engine.planResume(run)));
