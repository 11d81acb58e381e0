/** Opens the screen on the fake engine: the program that the pseudo-terminal test runs. */
import {setTimeout} from 'node:timers/promises';
import {isTerminal, openUi} from '../../source/ui.js';
import {createFakeEngine} from '../support/fake-engine.js';

const has = (name: string): boolean => process.argv.includes(name);

if (!has('--any-output') && !isTerminal(process.stdin, process.stdout)) {
  console.error('not a terminal');
  process.exit(2);
}
const engine = createFakeEngine({
  production: has('--production'),
  readOnlyBy: has('--read-only') ? 'flag' : has('--locked') ? 'production' : undefined,
  unlockMs: has('--short') ? 4000 : undefined,
  betweenChanges: has('--slow') ? () => setTimeout(300) : undefined,
  betweenSteps: has('--slow') ? () => setTimeout(300) : undefined,
  kite: has('--many') ? 20_000 : 12,
  refreshMs: 1000,
});
if (has('--down')) engine.setDown('rides', true);
if (has('--throw-in-render')) {
  Object.defineProperty(engine.checks[0], 'table', {
    get: () => {
      throw new Error('broken on purpose');
    },
  });
}
if (has('--throw-in-handler')) {
  // The state machine goes through the findings of a page, so this throws where a message is handled.
  const findings = Object.assign([], {
    forEach: () => {
      throw new Error('broken on purpose');
    },
  });
  const check = engine.check.bind(engine);
  engine.check = async (id, options) => ({...(await check(id, options)), findings});
}
if (has('--throw-uncaught')) {
  globalThis.setTimeout(() => {
    throw new Error('broken on purpose');
  }, 200);
}
process.exitCode = await openUi(engine, {
  stdin: process.stdin,
  stdout: process.stdout,
  color: !has('--no-color'),
  demo: has('--demo') ? ['kite runs on sample data in memory, not on DynamoDB.'] : null,
});
