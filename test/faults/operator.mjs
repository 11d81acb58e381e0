// An operator: a process of its own that plans, tells what its plan holds, waits for "run", and tells what became
// of it, round after round, on the built engine. Its parent speaks to it by messages: {do: 'open' | 'plan' | 'run' | 'undo'}.
import {openConnector} from '../../dist/connectors/index.js';
import {configFromObject} from '../../dist/source/config/load.js';
import {openEngine} from '../../dist/source/engine/engine.js';

let engine;
let plan;

/** Of each finding another row than the rule would keep: as if a person had chosen. */
const chosenKeepers = async (check, selection) => {
  const {findings} = await engine.check(check, {limit: 1_000_000});
  return {
    ...selection,
    keepers: Object.fromEntries(findings.map(({id, rows}) => [id, rows.at(-1).identity])),
  };
};

const answers = {
  open: async ({config, stateDirectory}) => {
    await engine?.close();
    engine = openEngine(configFromObject(config).config, {stateDirectory, open: openConnector});
    return {};
  },
  plan: async ({check, action, selection = {}, byHand}) => {
    plan = await engine.plan(check, action, byHand ? await chosenKeepers(check, selection) : selection);
    return {changes: plan.changes};
  },
  run: async () => ({result: await engine.run(plan)}),
  undo: async ({run}) => ({result: await engine.run(await engine.planUndo(run))}),
  close: async () => {
    await engine?.close();
    engine = undefined;
    return {};
  },
};

process.on('message', async message => {
  try {
    process.send({done: message.do, ...(await answers[message.do](message))});
  } catch (error) {
    process.send({done: message.do, error: {code: error.code, message: error.message, stack: error.stack}});
  }
});
process.on('disconnect', () => process.exit());
