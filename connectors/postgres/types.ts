/** What a PostgreSQL type is to the query forms: the family that decides how it is compared, read and written. */

export type Family =
  | 'text'
  | 'int'
  | 'numeric'
  | 'float'
  | 'bool'
  | 'timestamptz'
  | 'timestamp'
  | 'date'
  | 'json'
  | 'array'
  | 'other';

export type PgType = {
  /** As `\d` shows it, for people. */
  name: string;
  /** What text is cast to: the type without its length, which an assignment applies again. */
  cast: string;
  /** The name of the type in pg_type, below any domain. */
  base: string;
  family: Family;
  /** Of an array's elements. */
  element: PgType | null;
  /** Equality is not of bytes: citext, or a nondeterministic collation. */
  loose: boolean;
};

export type Column = {
  name: string;
  type: PgType;
  nullable: boolean;
  generated: boolean;
  /** GENERATED ALWAYS AS IDENTITY: can be inserted, never updated. */
  identityAlways: boolean;
};

const families: Record<string, Family> = {
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  char: 'text',
  name: 'text',
  citext: 'text',
  uuid: 'text',
  int2: 'int',
  int4: 'int',
  int8: 'int',
  oid: 'int',
  numeric: 'numeric',
  float4: 'float',
  float8: 'float',
  bool: 'bool',
  timestamptz: 'timestamptz',
  timestamp: 'timestamp',
  date: 'date',
  json: 'json',
  jsonb: 'json',
};

/** `kind` is pg_type.typtype: `e` for an enum. */
export const familyOf = (base: string, kind: string): Family =>
  kind === 'e' ? 'text' : (families[base] ?? 'other');

const builtIn = (base: string, family: Family, element: PgType | null = null): PgType => ({
  name: base,
  cast: base,
  base,
  family,
  element,
  loose: false,
});

export const textType = builtIn('text', 'text');
export const floatType = builtIn('float8', 'float');
export const jsonbType = builtIn('jsonb', 'json');
