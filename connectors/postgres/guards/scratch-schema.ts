/** A schema of its own for `guards test`, with a copy of a table in it. */
import {randomBytes} from 'node:crypto';
import {readTable, type Table, tableStatement} from '../catalogue.js';
import type {Run} from '../session.js';
import {ident, literal} from '../sql.js';

const prefix = 'sesstui_test_';
const leftOverMinutes = 60;

const statement = (text: string, values: unknown[] = []) => ({text, values});

/** What gives up NOT NULL: columns that the rule does not name, so that a row of the named ones can be stored. */
const loosen = (table: Table, named: ReadonlySet<string>): string[] =>
  table.columns
    .filter(
      ({nullable, generated, identityAlways, name}) =>
        !nullable && !generated && !identityAlways && !named.has(name),
    )
    .map(({name}) => `alter column ${ident(name)} drop not null`);

/** What killed tests left: schemas of ours by name and comment, an hour old or more. */
export const dropLeftOvers = async (run: Run): Promise<void> => {
  const found = await run(
    statement(
      `select nspname from (select nspname, pg_catalog.obj_description(oid, 'pg_namespace') as made
         from pg_catalog.pg_namespace where pg_catalog.starts_with(nspname::text, $1::text)) s
       where made ~ '^sesstui test of [0-9]+$'
         and substring(made from '[0-9]+$')::float8 < extract(epoch from now()) - 60 * $2::int4`,
      [prefix, leftOverMinutes],
    ),
  );
  // One that is in use or somebody else's is left to the next test.
  for (const [name] of found)
    await run(statement(`drop schema if exists ${ident(name!)} cascade`)).catch(() => undefined);
};

/** A name for a schema that nobody has. */
export const scratchName = (): string => `${prefix}${process.pid}_${randomBytes(4).toString('hex')}`;

/** Makes the schema, its time in its comment, and the copy: columns and defaults, and what the rule names is as it was. */
export const makeScratch = async (
  schema: string,
  original: Table,
  named: ReadonlySet<string>,
  run: Run,
): Promise<Table> => {
  const copy = `${ident(schema)}.${ident(original.relation)}`;
  const [[now]] = (await run(statement('select floor(extract(epoch from now()))::int8::text'))) as [[string]];
  // In one message, which is one transaction: a schema without its comment would stay for ever.
  await run(
    statement(
      [
        `create schema ${ident(schema)}`,
        `comment on schema ${ident(schema)} is ${literal(`sesstui test of ${now}`)}`,
        `create table ${copy} (like ${original.sql} including defaults including identity including generated)`,
      ].join('; '),
    ),
  );
  const changes = loosen(original, named);
  if (changes.length > 0) await run(statement(`alter table ${copy} ${changes.join(', ')}`));
  const [[json]] = (await run(tableStatement(`${schema}.${original.relation}`))) as [[string]];
  return readTable(original.name, json);
};

export const dropScratch = async (schema: string, run: Run): Promise<void> => {
  await run(statement(`drop schema if exists ${ident(schema)} cascade`));
};

const catalogueText = `select pg_catalog.pg_get_indexdef(indexrelid) from pg_catalog.pg_index where indrelid = $2::oid
  union all select format('%s %s %s', conname, pg_catalog.pg_get_constraintdef(oid), convalidated) from pg_catalog.pg_constraint where conrelid = $2::oid
  union all select pg_catalog.pg_get_triggerdef(oid) from pg_catalog.pg_trigger where tgrelid = $2::oid and not tgisinternal
  union all select pg_catalog.pg_get_functiondef(oid) from pg_catalog.pg_proc where pronamespace = $1::text::regnamespace
  union all select format('%s %s %s %s %s', polname, polcmd, polpermissive, pg_catalog.pg_get_expr(polqual, polrelid),
      pg_catalog.pg_get_expr(polwithcheck, polrelid)) from pg_catalog.pg_policy where polrelid = $2::oid
  union all select format('security %s %s %s', relrowsecurity, relforcerowsecurity, relacl) from pg_catalog.pg_class where oid = $2::oid
  union all select format('%s %s %s %s', attname, pg_catalog.format_type(atttypid, atttypmod), attnotnull, pg_catalog.pg_get_expr(adbin, adrelid))
    from pg_catalog.pg_attribute a left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where attrelid = $2::oid and attnum > 0 and not attisdropped
  order by 1`;

/** What the catalogue says of the copy and its functions, to compare. */
export const catalogueOf = async (schema: string, {oid}: Table, run: Run): Promise<string> =>
  (await run(statement(catalogueText, [ident(schema), oid]))).map(([line]) => line).join('\n');
