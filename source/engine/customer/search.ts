/** Asks one source for the rows that some values stand in, and for what is wrong with these rows. */
import type {Identities, IdentityColumn} from '../../checks/check.js';
import {type Identity, markOf, type Row, type TableShape} from '../../connector.js';
import {exprValue, normalise} from '../../evaluate.js';
import {attributesOf, type Pred} from '../../forms.js';
import {isSecretColumn} from '../../secrets.js';
import type {Finding} from '../../types.js';
import {isAbsent, toText} from '../../values.js';
import type {Asked, Source} from './sources.js';

/** Rows of a table that are read of one customer at most, at each question. */
export const mostRows = 200;

/**
 * What one identity column of a row holds. `isEmail`: trimmed and lower-cased. `follows`: it leads to what else is
 * theirs, and may be told; a secret does neither, and the second reading of a column says nothing new.
 */
export type Named = Pick<IdentityColumn, 'names' | 'from'> & {
  column: string;
  text: string;
  isEmail: boolean;
  follows: boolean;
};

export type Hit = {
  source: string;
  store: string;
  table: string;
  mark: string;
  row: Row;
  now: number;
  isSession: boolean;
  named: Named[];
};

/** `typed` goes into every column, `customers` only into those that name a customer, `links` into the rows' own. */
export type Wanted = {typed: string | null; customers: string[]; links: string[]};

export type Answer = {
  hits: Hit[];
  findings: Finding[];
  more: {table: string; total: number}[];
  searched: string[];
  /** Columns that were left out because they would have read the whole of a large table. */
  unsearched: Unsearched[];
};

export type Unsearched = {table: string; column: string; rows: number};

const valuesFor = (column: IdentityColumn, {typed, customers, links}: Wanted): string[] => {
  const given = [
    ...(typed === null ? [] : [typed]),
    ...(column.names === 'customer' && !column.again ? customers : []),
    ...(column.names === 'row' ? links : []),
  ].filter(value => !(column.guessed || column.again) || value.includes('@'));
  const derived = typed === null ? null : (column.from?.(typed) ?? null);
  const values = 'norm' in column.of ? given.map(normalise) : given;
  return [...new Set([...values, ...(derived === null ? [] : [derived])])].filter(value => value !== '');
};

const isIndexed = ({of}: IdentityColumn, {key, indexes}: TableShape): boolean =>
  'attr' in of && [key, ...indexes.map(({attributes}) => attributes)].some(([first]) => first === of.attr);

/** How many rows looking into this column would read, where that is more than `limits.scan`; else null. */
const scanOf = (
  {scanLimit}: Source,
  column: IdentityColumn,
  shape: TableShape | undefined,
): number | null => {
  const rows = shape?.estimatedRows ?? 0;
  return shape && scanLimit !== null && rows > scanLimit && !isIndexed(column, shape) ? rows : null;
};

type Question = {match: Pred[]; unsearched: Unsearched[]};

const questionOf = (
  source: Source,
  {table, where}: Identities,
  {shapes}: Asked,
  wanted: Wanted,
): Question => {
  const question: Question = {match: [], unsearched: []};
  for (const column of where) {
    const rows = scanOf(source, column, shapes[table]);
    const values = valuesFor(column, wanted).filter(
      // No email is in that column, and a scan would only find out so.
      value => rows === null || !('norm' in column.of) || value.includes('@'),
    );
    if (values.length === 0) continue;
    if (rows === null) question.match.push({in: values, of: column.of});
    else question.unsearched.push({table, column: columnText(column), rows});
  }
  return question;
};

const columnText = ({of}: Pick<IdentityColumn, 'of'>): string => attributesOf(of)[0]!;

const namedBy = ({where}: Identities, row: Row, secrets: string[]): Named[] =>
  where.flatMap(({of, names, from, again}): Named[] => {
    const value = exprValue(of, row.values);
    if (isAbsent(value) || toText(value) === '') return [];
    const secret = attributesOf(of).some(attribute => isSecretColumn(attribute, secrets));
    const column = columnText({of});
    return [{column, names, from, text: toText(value), isEmail: 'norm' in of, follows: !secret && !again}];
  });

/** The findings that these rows are in; of groups, whole. */
const findingsOn = async (
  source: Source,
  {opened}: Asked,
  hits: Hit[],
  signal: AbortSignal,
): Promise<Finding[]> => {
  const findings = new Map<string, Finding>();
  for (const part of opened?.parts ?? []) {
    const only: Identity[] = hits.filter(({table}) => table === part.form.from).map(({row}) => row.identity);
    if (only.length === 0) continue;
    for await (const {finding} of source.checker!.findings(opened!, {parts: [part], only, signal}))
      findings.set(finding.id, finding);
  }
  return [...findings.values()];
};

/** `before`: the rows that this source was known to have; what is wrong is told of all. */
export const search = (
  source: Source,
  wanted: Wanted,
  before: Map<string, Hit>,
  signal: AbortSignal,
): Promise<Answer> =>
  source.ask(async asked => {
    const {connector, now, tables} = asked;
    const hits = new Map(before);
    const more: Answer['more'] = [];
    const unsearched: Unsearched[] = [];
    for (const identities of tables) {
      const {match, unsearched: left} = questionOf(source, identities, asked, wanted);
      unsearched.push(...left);
      if (match.length === 0) continue;
      const form = identities.form({any: match});
      const survey = await connector.survey(form, {now, offset: 0, limit: mostRows, signal});
      if (survey.total > survey.found.length) more.push({table: identities.table, total: survey.total});
      for (const row of survey.found.flatMap(({rows}) => rows)) {
        const mark = markOf(row.table, row.identity);
        hits.set(mark, {
          source: source.id,
          store: source.store.name,
          table: row.table,
          mark,
          row,
          now,
          isSession: identities.sessions,
          named: namedBy(identities, row, source.secrets),
        });
      }
    }
    const searched = tables.map(
      ({table, where}) => `${table} (${[...new Set(where.map(columnText))].join(', ')})`,
    );
    return {
      hits: [...hits.values()],
      findings: await findingsOn(source, asked, [...hits.values()], signal),
      more,
      searched,
      unsearched,
    };
  }, signal);
