/** The names and the quoting that the guards of device sessions have in common. */
import {dollarQuoted, ident, literal} from '../../sql.js';
import type {Place, ScriptPlace} from '../rule.js';
import {objectName} from '../sql/names.js';

/** A table to write statements for, whether or not it was looked at. */
export type Spot = {
  /** Quoted, with its schema where that is known. */
  sql: string;
  relation: string;
  /** An object of the table's schema, quoted. */
  qualified: (name: string) => string;
  /** What an object that goes with the table is called. */
  name: (tail: string) => string;
  lower: string;
};

const parts = (name: string): {schema: string | null; relation: string} => {
  const dot = name.lastIndexOf('.');
  return {schema: dot < 0 ? null : name.slice(0, dot), relation: name.slice(dot + 1)};
};

export const spotOf = (place: Place | ScriptPlace): Spot => {
  const {schema, relation} = place.table ?? parts((place as ScriptPlace).name);
  const qualified = (name: string): string =>
    schema === null ? ident(name) : `${ident(schema)}.${ident(name)}`;
  return {
    sql: qualified(relation),
    relation,
    qualified,
    name: tail => objectName(`${relation}${tail}`),
    lower: place.lower,
  };
};

/** The table's oid, in SQL. */
export const oidOf = ({sql}: Pick<Spot, 'sql'>): string => `${literal(sql)}::pg_catalog.regclass`;

export const doBlock = (body: string): string => `do ${dollarQuoted(`\n${body}\n`)}`;

/** SQL of a boolean: a trigger, a policy or anything else uses this function. */
export const isUsed = (oid: string): string => `exists (select from pg_catalog.pg_depend d
      where d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.refobjid = ${oid})`;

/** Drops a function that may be there, unless something else has come to use it: that would break. */
export const dropFunction = (signature: string): string =>
  doBlock(`begin
  if ${isUsed(`pg_catalog.to_regprocedure(${literal(signature)})::oid`)} then
    raise notice '% stays: something else uses it', ${literal(signature)};
  else
    drop function if exists ${signature};
  end if;
end`);

/** What a function sees besides its schema-qualified names: nobody can put something of theirs in front. */
export const safePath = 'set search_path = pg_catalog, pg_temp';
export const safeConfig = 'search_path=pg_catalog, pg_temp';
