/** The check that a word of the command line names. */
import {orList} from '../config/nearest.js';
import type {Checker} from '../engine/checker.js';
import type {FullEngine} from '../engine/engine.js';
import {SesstuiError} from '../errors.js';

/** Throws `usage`; for the name or kind of a check without its store, with the whole ids. */
export const namedCheck = (engine: FullEngine, word: string): Checker => {
  const ids = engine.checks.map(({id}) => id);
  const meant = engine.checks.filter(({name, kind}) => name === word || kind === word).map(({id}) => id);
  if (ids.includes(word) || meant.length === 0) return engine.checker(word);
  throw new SesstuiError(
    'usage',
    `there is no check "${word}": a check is named STORE/NAME`,
    `Did you mean ${orList(meant)}? The configured checks: ${ids.join(', ')}.`,
  );
};
