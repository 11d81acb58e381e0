/**
 * What a configuration may hold (contract: Configuration). The one source of validation, of the types and of the
 * published JSON Schema. Durations are text here (`15m`) and milliseconds after `parseDuration`.
 */
import {z} from 'zod';
import {durationPattern} from './duration.js';

const duration = (fallback: string) =>
  z.string().regex(durationPattern, 'is not a duration like 90s, 15m, 2h or 7d').default(fallback);
/** No store has a name with U+0000 in it, and some end a text there. */
const text = z
  .string()
  .min(1)
  .refine(value => !value.includes('\0'), 'holds a NUL character');
const column = (fallback: string) => text.default(fallback);
const emptyIsUnset = z
  .string()
  .optional()
  .transform(value => value || undefined);

const common = {
  name: text
    .regex(/^[\w.-]+$/, 'may hold letters, digits, _, - and . only')
    .optional()
    .describe("The check's name; defaults to its kind"),
  secrets: z.array(text).default([]).describe('Columns to mask besides the usual ones'),
  timeZone: z
    .string()
    .default('UTC')
    .refine(isTimeZone, 'is not a time zone like UTC or Europe/Paris')
    .describe('The zone that columns without one are read in'),
};

/**
 * A name that means the same to JavaScript and to every store: an abbreviation or an offset does not (IST is India
 * here and Israel in PostgreSQL, whose `+05:30` lies west of Greenwich).
 */
function isTimeZone(zone: string): boolean {
  if (zone !== 'UTC' && !/^(?!SystemV\/)[A-Za-z_]+\//.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en-US', {timeZone: zone});
    return true;
  } catch {
    return false;
  }
}

const referencedBy = z
  .strictObject({table: text, key: text, attribute: text})
  .describe(
    'The table that refers to these rows: its key, and the attribute that holds the id or a map with it',
  );

export const duplicatesSchema = z.strictObject({
  check: z.literal('duplicates'),
  ...common,
  table: text,
  groupBy: z.array(text).min(1).describe('Rows that are equal in these are one group'),
  latestBy: z
    .array(text)
    .min(1)
    .optional()
    .describe('The first one that a row has decides which row is the latest'),
  canonicalId: text.optional().describe("What a row's id should be; {attribute} takes a row's attribute"),
  referencedBy: referencedBy.optional(),
  unordered: z.array(text).default([]).describe('Arrays that are equal when sorted'),
  payload: z.array(text).default([]).describe('Copies must agree in these'),
  keep: z.enum(['first', 'latest']).optional().describe('Which row of a group stays'),
});

export const nullIdsSchema = z.strictObject({
  check: z.literal('null-ids'),
  ...common,
  table: text,
  id: column('sessionId'),
  idFormat: z.enum(['uuid', 'hex']).default('uuid'),
  touch: text.optional().describe('Set to now when an id is assigned'),
});

const sessionColumns = {
  id: column('id'),
  customer: column('customer_id'),
  status: column('status'),
  createdAt: column('created_at'),
  updatedAt: column('updated_at'),
};

export const staleSessionsSchema = z.strictObject({
  check: z.literal('stale-sessions'),
  ...common,
  sessions: z.strictObject({table: column('sessions'), ...sessionColumns}).prefault({}),
  requests: z
    .strictObject({
      table: column('session_requests'),
      session: text.nullable().default('session_id'),
      ...sessionColumns,
    })
    .prefault({}),
  waitingAfter: duration('15m'),
  requestAfter: duration('15m'),
  orphanedAfter: duration('20m'),
  veryStaleAfter: duration('30m'),
  statuses: z
    .strictObject({
      waiting: z.array(text).min(1).default(['waiting']),
      pending: z.array(text).min(1).default(['pending']),
      cancelled: text.default('cancelled'),
      valid: z.array(text).default(['pending', 'accepted']),
      active: z.array(text).default(['live', 'in_progress']),
    })
    .prefault({}),
});

export const deviceSessionsSchema = z.strictObject({
  check: z.literal('device-sessions'),
  ...common,
  table: text,
  columns: z
    .strictObject({
      id: column('id'),
      email: column('email'),
      type: column('session_type'),
      protected: column('protected'),
      fingerprint: column('fingerprint'),
      expiresAt: column('expires_at'),
      updatedAt: column('updated_at'),
      createdAt: column('created_at'),
    })
    .prefault({}),
  fingerprint: z
    .strictObject({
      salt: emptyIsUnset.describe('No salt: fingerprints are not compared'),
      prefix: z.string().default('bg-'),
      length: z.int().min(1).max(64).default(64),
    })
    .prefault({}),
});

export const checkSchema = z.discriminatedUnion('check', [
  duplicatesSchema,
  nullIdsSchema,
  staleSessionsSchema,
  deviceSessionsSchema,
]);

const checks = z.array(checkSchema).default([]);
/** No time at all would mean no limit to a server, and no pause to the screen. */
const someTime = (fallback: string) =>
  z
    .string()
    .regex(durationPattern, {message: 'is not a duration like 90s, 15m, 2h or 7d', abort: true})
    .refine(value => /[1-9]/.test(value), 'has to be longer than nothing')
    .default(fallback);
const seconds = (fallback: string) => someTime(fallback).describe('Time limit of one statement');

export const postgresStoreSchema = z.strictObject({
  kind: z.literal('postgres'),
  url: text.regex(/^postgres(?:ql)?:\/\//, 'must start with postgres:// or postgresql://'),
  timeout: seconds('30s'),
  checks,
});

export const mongodbStoreSchema = z.strictObject({
  kind: z.literal('mongodb'),
  url: text.regex(/^mongodb(?:\+srv)?:\/\//, 'must start with mongodb:// or mongodb+srv://'),
  database: text,
  timeout: seconds('30s'),
  checks,
});

export const dynamodbStoreSchema = z.strictObject({
  kind: z.literal('dynamodb'),
  region: text.default('us-east-1'),
  endpoint: emptyIsUnset.refine(
    value => value === undefined || /^https?:\/\//.test(value),
    'must start with http:// or https:// (leave it empty for AWS)',
  ),
  timeout: seconds('30s'),
  checks,
});

export const storeSchema = z.discriminatedUnion('kind', [
  postgresStoreSchema,
  mongodbStoreSchema,
  dynamodbStoreSchema,
]);

export const configSchema = z.strictObject({
  environment: text
    .optional()
    .describe('development, test, staging and demo are safe places; anything else is production'),
  readOnly: z.boolean().optional().describe('Unset means true in production'),
  refresh: someTime('5s').describe('How often the screen looks again'),
  limits: z
    .strictObject({
      changes: z.int().min(1).default(10_000),
      share: z.number().gt(0).max(1).default(0.2),
      scan: z.int().min(1).default(5_000_000),
    })
    .prefault({})
    .describe('Beyond these production asks again'),
  identities: z
    .array(z.strictObject({store: text, table: text, id: text, email: text}))
    .default([])
    .describe('Tables that map an email to a customer id, for `customer`'),
  stores: z.record(text.regex(/^[\w-]+$/, 'may hold letters, digits, _ and - only'), storeSchema),
});

export type DuplicatesConfig = z.output<typeof duplicatesSchema>;
export type NullIdsConfig = z.output<typeof nullIdsSchema>;
export type StaleSessionsConfig = z.output<typeof staleSessionsSchema>;
export type DeviceSessionsConfig = z.output<typeof deviceSessionsSchema>;
export type CheckConfig = z.output<typeof checkSchema>;
export type StoreConfig = z.output<typeof storeSchema>;
export type Config = z.output<typeof configSchema>;

const safePlaces = new Set(['development', 'test', 'staging', 'demo']);

/** Anything but a named safe place is production. */
export const isProduction = (config: Pick<Config, 'environment'>): boolean =>
  !safePlaces.has(config.environment ?? '');

/** What `--confirm` wants in production. */
export const environmentName = (config: Pick<Config, 'environment'>): string => config.environment ?? 'unset';
