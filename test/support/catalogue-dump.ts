/** What the catalogue says of a schema as text: equal exactly where nothing in it differs but numbers of the server's own. */
import type pg from 'pg';

/** Each query answers lines in a fixed order; `$1` is the schema. */
const parts: Record<string, string> = {
  relations: `select format('%s %s persistence=%s replica=%s rls=%s force=%s options=%s comment=%s', c.relkind, c.relname,
      c.relpersistence, c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, obj_description(c.oid, 'pg_class'))
    from pg_class c where c.relnamespace = $1::regnamespace order by c.relname`,
  // Privileges are what the owner has anyway, or a list of their own.
  grants: `select format('%s %s', c.relname, coalesce(c.relacl, acldefault(case when c.relkind = 'S' then 's' else 'r' end::"char", c.relowner)))
    from pg_class c where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') order by c.relname`,
  columns: `select format('%s.%s %s place=%s notnull=%s default=%s generated=%s identity=%s collation=%s comment=%s', c.relname, a.attname,
      format_type(a.atttypid, a.atttypmod), row_number() over (partition by c.oid order by a.attnum), a.attnotnull,
      pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity, a.attcollation::regcollation, col_description(c.oid, a.attnum))
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`,
  constraints: `select format('%s.%s %s validated=%s comment=%s', c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated,
      obj_description(k.oid, 'pg_constraint'))
    from pg_constraint k join pg_class c on c.oid = k.conrelid where k.connamespace = $1::regnamespace order by c.relname, k.conname`,
  indexes: `select format('%s valid=%s ready=%s live=%s clustered=%s replica=%s comment=%s', pg_get_indexdef(i.indexrelid), i.indisvalid,
      i.indisready, i.indislive, i.indisclustered, i.indisreplident, obj_description(i.indexrelid, 'pg_class'))
    from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace order by c.relname`,
  inherits: `select format('%s of %s', c.relname, h.inhparent::regclass) from pg_inherits h join pg_class c on c.oid = h.inhrelid
    where c.relnamespace = $1::regnamespace order by c.relname, h.inhseqno`,
  triggers: `select format('%s enabled=%s comment=%s', pg_get_triggerdef(g.oid), g.tgenabled, obj_description(g.oid, 'pg_trigger'))
    from pg_trigger g join pg_class c on c.oid = g.tgrelid
    where c.relnamespace = $1::regnamespace and not g.tgisinternal order by c.relname, g.tgname`,
  functions: `select format('%s(%s) returns %s language=%s volatility=%s definer=%s strict=%s parallel=%s settings=%s acl=%s comment=%s body=%s',
      p.proname, pg_get_function_identity_arguments(p.oid), p.prorettype::regtype, l.lanname, p.provolatile, p.prosecdef, p.proisstrict,
      p.proparallel, p.proconfig, p.proacl, obj_description(p.oid, 'pg_proc'), p.prosrc)
    from pg_proc p join pg_language l on l.oid = p.prolang where p.pronamespace = $1::regnamespace
    order by p.proname, pg_get_function_identity_arguments(p.oid)`,
  policies: `select format('%s.%s permissive=%s for=%s to=%s using=%s check=%s', tablename, policyname, permissive, cmd, roles, qual, with_check)
    from pg_policies where schemaname = $1::regnamespace::text order by tablename, policyname`,
  rules: `select definition from pg_rules where schemaname = $1::regnamespace::text order by tablename, rulename`,
  types: `select format('%s %s %s comment=%s', t.typname, t.typtype,
      (select string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), obj_description(t.oid, 'pg_type'))
    from pg_type t where t.typnamespace = $1::regnamespace and t.typtype in ('d', 'e', 'r') order by t.typname`,
};

/** Everything of a schema: relations, grants, columns, constraints, indexes, triggers, functions, policies, comments. */
export const catalogueDump = async (client: pg.ClientBase, schema = 'public'): Promise<string> => {
  const lines: string[] = [];
  for (const [part, text] of Object.entries(parts)) {
    const {rows} = await client.query<[string | null]>({text, values: [schema], rowMode: 'array'});
    lines.push(`-- ${part}`, ...rows.map(([line]) => line ?? ''));
  }
  return lines.join('\n');
};
