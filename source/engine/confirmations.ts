/** What has to be typed before a plan may run (contract: Commands; safety S13). */
import {type Config, environmentName, isProduction} from '../config/schema.js';
import {SesstuiError} from '../errors.js';
import type {Plan, ShownChange} from '../types.js';

export type Confirmation = Plan['confirmations'][number];

/** What production asks for where so many rows are changed. */
export const inProduction = (config: Config, count: number, estimatedRows: number | null): Confirmation[] => {
  if (!isProduction(config)) return [];
  const name = environmentName(config);
  const tooMany = count > config.limits.changes;
  // A store that says 0 while there is something to change has not counted yet: that is no reason not to ask.
  const tooLarge = estimatedRows !== null && count > estimatedRows * config.limits.share;
  const why = tooMany
    ? `${count} changes are more than limits.changes (${config.limits.changes})`
    : `${count} changes are more than limits.share (${config.limits.share}) of about ${estimatedRows} rows`;
  return [
    tooMany || tooLarge
      ? {expected: `${name}:${count}`, why}
      : {expected: name, why: 'this is production', also: [`${name}:${count}`]},
  ];
};

/** What is asked for of what was made in another environment, which is production. */
export const inAnother = (config: Config, madeIn: string | undefined): Confirmation[] =>
  madeIn !== undefined && madeIn !== environmentName(config) && isProduction({environment: madeIn})
    ? [
        {
          expected: madeIn,
          why: `it was made in ${madeIn}, and this configuration is of ${environmentName(config)}`,
        },
      ]
    : [];

export const confirmationsFor = (
  config: Config,
  plan: {
    changes: ShownChange[];
    table: string;
    drastic: boolean;
    estimatedRows: number | null;
    action: string;
    /** The environment that a run or a reviewed plan was made in; a copy of a server calls itself what the original does. */
    madeIn?: string;
  },
): Confirmation[] => {
  const {changes, table, drastic, estimatedRows, action, madeIn} = plan;
  const count = changes.length;
  const wanted = [...inProduction(config, count, estimatedRows), ...inAnother(config, madeIn)];
  if (drastic) {
    const deletes = changes.filter(change => change.op === 'delete' && change.table === table).length;
    wanted.push({
      expected: `${table}:${deletes}`,
      why: `${action} is never a default`,
      also: [`${table}:${count}`],
    });
  }
  return count === 0 ? [] : wanted;
};

/** Those that nothing of what was given satisfies. */
export const missingConfirmations = (wanted: Confirmation[], given: string[]): Confirmation[] =>
  wanted.filter(({expected, also}) => ![expected, ...(also ?? [])].some(text => given.includes(text)));

/** Throws `confirmation` naming what is missing. */
export const requireConfirmations = (wanted: Confirmation[], given: string[]): void => {
  const missing = missingConfirmations(wanted, given);
  if (missing.length === 0) return;
  const counts = missing
    .flatMap(({expected, also = []}) => [expected, ...also])
    .filter(text => text.includes(':'));
  throw new SesstuiError(
    'confirmation',
    missing.map(({expected, why}) => `${why}: it needs --confirm ${expected}`).join('; '),
    given.length > 0
      ? `Given was: ${given.join(', ')}.${given.some(text => text.includes(':')) && counts.length > 0 ? ` With its count the plan as it is now is ${counts.join(' or ')}: look at it again.` : ''}`
      : `Look at the plan first (without --yes), then repeat with --yes${missing.map(({expected}) => ` --confirm ${expected}`).join('')}.`,
  );
};
