/** Whether a function does provably what ours does, whoever wrote it: by its words, as code can't be run to find out. */
import {ident} from '../../sql.js';
import {type SortedColumn, sorterBody, sorterOf, triggerBody} from './sort-sql.js';

const token = /"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|\s+|./gsu;

/** Words in one spelling: without comments, needless quotes, case, and the schemas that names are looked up in anyway. */
const spelt = (source: string, schema: string, argument = 'arr'): string => {
  const bare = source.replaceAll(/--[^\n]*|\/\*.*?\*\//gs, ' ');
  const words = (bare.match(token) ?? []).flatMap(word => {
    if (word.trim() === '') return [];
    if (!word.startsWith('"')) return [word.toLowerCase()];
    return [/^"[a-z_][a-z0-9_]*"$/.test(word) ? word.slice(1, -1) : word];
  });
  const schemas = ['pg_catalog', /^[a-z_][a-z0-9_]*$/.test(schema) ? schema : ident(schema)];
  const named = words.filter(
    (word, at) =>
      !(schemas.includes(word) && words[at + 1] === '.') &&
      !(word === '.' && schemas.includes(words[at - 1]!)),
  );
  const renamed = named.map(word => (word === argument ? 'arr' : word)).join(' ');
  return renamed
    .replaceAll(/operator \( (.) \)/g, '$1')
    .replaceAll('$ 1', 'arr')
    .replace(/ ?;?$/, '');
};

const sortedItems = [
  String.raw`select unnest \( arr \) order by 1`,
  String.raw`select (\w+) from unnest \( arr \) (?:as )?\1 order by (?:1|\1)(?: : : text)?(?: collate "C")?`,
].join('|');
const sorters = [
  new RegExp(String.raw`^select array \( (?:${sortedItems}) \)$`),
  new RegExp(String.raw`^begin return array \( (?:${sortedItems}) \) ; end$`),
];

/** Of a function of one array: `exact` when it is ours, `same` when it sorts a plain array too, by whatever order. */
export const compareSorter = (
  source: string,
  argument: string | null,
  at: SortedColumn,
): 'exact' | 'same' | 'other' => {
  const words = spelt(source, at.schema, argument?.toLowerCase());
  if (words === spelt(sorterBody(at), at.schema)) return 'exact';
  return sorters.some(form => form.test(words)) ? 'same' : 'other';
};

/** It sorts by bytes (or as the type does) wherever it runs, and not as the database at hand compares texts. */
export const sortsByBytes = (source: string, at: SortedColumn): boolean =>
  at.element.natural || /collate\s+(?:pg_catalog\s*\.\s*)?"C"/i.test(source);

/** Of a trigger function. */
export const compareTriggerFunction = (source: string, at: SortedColumn): 'exact' | 'same' | 'other' => {
  const words = spelt(source, at.schema, '');
  if (words === spelt(triggerBody(at), at.schema, '')) return 'exact';
  const column = `new.${ident(at.column)}`;
  const call = `${ident(sorterOf(at).name)}(${column})`;
  const forms = [':=', '='].flatMap(becomes => [
    `begin ${column} ${becomes} ${call}; return new; end`,
    `begin if ${column} is not null then ${column} ${becomes} ${call}; end if; return new; end`,
  ]);
  return forms.some(form => spelt(form, at.schema, '') === words) ? 'same' : 'other';
};
