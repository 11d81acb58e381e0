/** Guards as a migration in plain SQL, for psql, a migration tool or one message of a client. */
import type {GuardDirection, GuardRule, NamedRule} from '../../../source/guards.js';
import type {GuardAccess} from './place.js';
import type {ScriptPlace} from './rule.js';
import {keeperOf, refusal} from './rules.js';
import {comment, isComment} from './sql/script-comment.js';

/** Where the server was not to be asked: what all but the newest are known to have. */
const usualLower = ' collate pg_catalog."und-x-icu"';

type Options = {whole: boolean; signal?: AbortSignal};

const placesOf = async (
  rules: GuardRule[],
  {session, known}: GuardAccess,
  signal?: AbortSignal,
): Promise<{places: ScriptPlace[]; unasked: string | null}> => {
  try {
    const places = await session.read(async run => {
      const {lower} = await known.server(run);
      const found: ScriptPlace[] = [];
      for (const {table: name} of rules) found.push({name, lower, table: await known.table(name, run)});
      return found;
    }, signal);
    const absent = places.find(({table}) => table === null);
    return {places, unasked: absent ? `there is no table ${absent.name} yet` : null};
  } catch (error) {
    if (signal?.aborted) throw error;
    const places = rules.map(({table: name}) => ({name, table: null, lower: usualLower}));
    return {places, unasked: 'the server could not be asked'};
  }
};

const header = (
  title: string,
  rules: NamedRule[],
  direction: GuardDirection,
  unasked: string | null,
): string => {
  const names = rules.map(({guard}) => guard).join(', ');
  const tables = [...new Set(rules.map(({rule}) => rule.table))].join(', ');
  const secured = rules.find(({rule}) => rule.rule === 'own-rows');
  const lines =
    direction === 'install'
      ? [
          `${title}: up. Puts the guards ${names} on ${tables}.`,
          'One transaction; it can be run any number of times. Where rows are in the way and nothing below mends them, it fails',
          'and changes nothing.',
          `Writers of ${tables} wait until it is done; \`sesstui guards install\` puts the guards in beside live writers.`,
          ...(secured
            ? [
                `Row security is in it (${secured.guard}, opt-in elsewhere): roles neither signed in nor the service read nothing from then on.`,
              ]
            : []),
        ]
      : [
          `${title}: down. Takes the guards ${names} off ${tables}.`,
          'One transaction; it can be run any number of times.',
        ];
  return comment(
    unasked === null
      ? lines
      : [...lines, `Written without a look at the table (${unasked}): its columns are taken to be text.`],
  );
};

/** A comment stands right above what it is about. */
const spaced = (parts: string[]): string =>
  parts
    .map((part, at) => (at === parts.length - 1 ? part : `${part}${isComment(part) ? '\n' : '\n\n'}`))
    .join('');

const ended = (statement: string): string => (isComment(statement) ? statement : `${statement};`);

/** All that the guards need as one script. Guards that PostgreSQL does not have are left out. */
export const writeScript = async (
  all: NamedRule[],
  direction: GuardDirection,
  {whole, signal}: Options,
  access: GuardAccess,
): Promise<string> => {
  const rules = all.filter(({rule}) => refusal(rule) === null);
  if (rules.length === 0) return '';
  const {places, unasked} = await placesOf(
    rules.map(({rule}) => rule),
    access,
    signal,
  );
  const titles = rules.map(({rule}) => keeperOf(rule).migration?.(rule) ?? null);
  const title = (whole ? titles.find(found => found !== null) : null) ?? 'Guards';
  const together = rules.map(({rule}) => rule);
  const parts = rules.map(({guard, rule}, index) => {
    const keeper = keeperOf(rule);
    const place = places[index]!;
    return {
      guard,
      besides: whole ? (keeper.besides?.(rule, place, direction) ?? []) : [],
      statements: keeper.script(rule, place, direction, together),
    };
  });
  const ordered = direction === 'install' ? parts : [...parts].reverse();
  const besides = ordered.flatMap(part => part.besides);
  const guards = ordered.flatMap(({guard, statements}) =>
    statements.length === 0 ? [] : [comment([guard]), ...statements],
  );
  const body = direction === 'install' ? [...besides, ...guards] : [...guards, ...besides];
  return `${[
    header(title, rules, direction, unasked),
    "begin;\nset local lock_timeout = '10s';",
    spaced([...body.map(ended), 'commit;']),
  ].join('\n\n')}\n`;
};
