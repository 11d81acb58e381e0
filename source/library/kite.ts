/**
 * A login's session (contract: Library, `upsertSession`): one for each account, under the account's canonical id,
 * whoever else logs in at the same time.
 */

import {idAttribute, keepRule} from '../checks/duplicates-rules.js';
import {decideKeeper} from '../checks/keeper.js';
import type {DuplicatesConfig} from '../config/schema.js';
import type {Connector, NewValue, Put, Row, TableShape} from '../connector.js';
import type {Checker} from '../engine/checker.js';
import {asSesstuiError, SesstuiError} from '../errors.js';
import {fill, valueAt} from '../evaluate.js';
import {readInstant} from '../instants.js';
import {isAbsent, isMap, type Scalar, toText, type Value, type ValueMap} from '../values.js';
import type {LibraryContext, Which} from './context.js';
import {timesOf} from './kite-times.js';
import {rowOf, valuesOf} from './native.js';

type Config = DuplicatesConfig;
/** The row as it is after the call, by its columns' names; `created`: it was not there before. */
export type UpsertedSession = {created: boolean; session: Record<string, unknown>};

type Kite = {
  checker: Checker & {readonly config: Config};
  config: Config;
  writer: Connector;
  shape: TableShape;
};
type Sets = Record<string, NewValue>;

/** How often the account may change the form of its reference while it is being set. */
const mostAttempts = 3;

const isOne = ({canonicalId, groupBy}: Config): boolean => canonicalId !== undefined && groupBy.length === 1;

const kiteOf = async (context: LibraryContext, which: Which): Promise<Kite> => {
  const checker = context.checker<Config>('duplicates', which, isOne);
  const writer = await context.writer(checker);
  const {config} = checker;
  const columns = [...config.groupBy, ...(config.latestBy ?? [])];
  const shape = await checker.store.shape(writer, config.table, columns);
  if (shape.key.length > 0) return {checker, config, writer, shape};
  throw new SesstuiError(
    'config',
    `check ${checker.id}: canonicalId needs a key, and table ${config.table} has none`,
    'Give the table a primary key.',
  );
};

const usage = (message: string, hint: string): SesstuiError => new SesstuiError('usage', message, hint);

const isId = (value: Value): value is string | number | bigint =>
  typeof value === 'bigint' || Number.isFinite(value) || (typeof value === 'string' && value.trim() !== '');

/** What the caller gave, under the columns' names. */
const givenTo = ({config, writer}: Kite, input: Record<string, unknown>): ValueMap => {
  const {accountId, ...rest} = valuesOf(input, writer.kind);
  const column = config.groupBy[0]!;
  if (!isId(accountId))
    throw usage('accountId is missing, empty or not an id', 'Give the id of the account that logs in.');
  if (column !== 'accountId' && Object.hasOwn(rest, column))
    throw usage(`"${column}" is the account's id, which is given as accountId`, `Leave "${column}" out.`);
  if (Object.hasOwn(rest, ''))
    throw usage('an attribute without a name was given', 'Give the attribute a name.');
  return {...rest, [column]: accountId};
};

/** The account's key, canonical; a key of several columns has the others from the caller. */
const keyFor = ({config, shape}: Kite, given: ValueMap): ValueMap => {
  const [id, ...others] = shape.key;
  const canonicalId = fill(config.canonicalId!, given);
  if (canonicalId === undefined)
    throw usage(
      `"${config.canonicalId}" can't be filled with what was given`,
      'Give each attribute that it names.',
    );
  if (Object.hasOwn(given, id!) && id !== config.groupBy[0] && given[id!] !== canonicalId)
    throw usage(`"${id}" is the key, which for this account is "${canonicalId}"`, `Leave "${id}" out.`);
  const inside = Object.keys(given).find(
    name => name.includes('.') && shape.key.includes(name.split('.')[0]!),
  );
  if (inside !== undefined)
    throw usage(`"${inside}" is inside the key of ${config.table}`, `Leave "${inside}" out.`);
  const missing = others.find(name => isAbsent(given[name]));
  if (missing !== undefined)
    throw usage(`"${missing}" belongs to the key of ${config.table} and was not given`, `Give "${missing}".`);
  return {[id!]: canonicalId, ...Object.fromEntries(others.map(name => [name, given[name]]))};
};

const asSets = (values: ValueMap): Sets =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, {value}]));

/** The moment that a new row was made at, where the caller says so; a moment that nobody can read is refused. */
const createdAtOf = ({config}: Kite, created: string | null, given: ValueMap): Sets => {
  const value = created === null ? undefined : given[created];
  if (created === null || isAbsent(value)) return {};
  if (readInstant(value, config.timeZone) === null)
    throw usage(`"${created}" is not a moment`, 'Give ISO 8601, a Date, or an epoch; or leave it out.');
  return {[created]: {value}};
};

/** What is set when the row is made, and when it is there: never the key, nor the moment that it was made at. */
const setsFor = (kite: Kite, key: ValueMap, given: ValueMap): {create: Sets; update: Sets} => {
  const {config, shape} = kite;
  const {created, updated} = timesOf(config, shape);
  const now: NewValue = {now: true, zone: config.timeZone};
  const kept = [...shape.key, ...(created ? [created] : [])];
  const set = {...asSets(given), ...(updated && {[updated]: now})};
  const update = Object.fromEntries(
    Object.entries(set).filter(([name]) => !kept.includes(name.split('.')[0]!)),
  );
  const createdAt = {...(created && {[created]: now}), ...createdAtOf(kite, created, given)};
  return {create: {...update, ...createdAt, ...asSets(key)}, update};
};

/** The account that refers to the session: as it is now, if it is there. */
const accountOf = async ({config, writer}: Kite, accountId: Value): Promise<Row | undefined> => {
  const {table, key, attribute} = config.referencedBy!;
  const where = {in: [toText(accountId) as Scalar], of: {attr: key}};
  // Nothing in the form is about an age.
  const form = {form: 'rows' as const, from: table, where, show: [key, attribute], tags: {}};
  // Not `read`, which takes a connection of its own each time.
  const {found} = await writer.survey(form, {now: 0, offset: 0, limit: 1});
  return found[0]?.rows[0];
};

/** The reference in the form that the account has it in: the id itself, or a map with it under the key's name. */
const referenceFor = async (kite: Kite, accountId: Value, id: Value): Promise<NonNullable<Put['also']>> => {
  const {config, shape} = kite;
  if (!config.referencedBy) return [];
  const {table, key, attribute} = config.referencedBy;
  const account = await accountOf(kite, accountId);
  const held = account && valueAt(account.values, attribute);
  const name = isMap(held) ? `${attribute}.${idAttribute(config, {[config.table]: shape})}` : attribute;
  const own = account ? valueAt(account.values, key) : accountId;
  return [{table, key: {[key]: own}, set: {[name]: {value: id}}}];
};

const formOf = (also: NonNullable<Put['also']>): string => also.flatMap(({set}) => Object.keys(set)).join();

/**
 * Makes the session of an account, or updates the one that is there. Its key is the canonical id and never among the
 * updates; `createdAt` is the database's now when the row is made (or what is given) and kept afterwards; `updatedAt`
 * is the database's now each time, whatever is given. The account is made to refer to it in the same transaction
 * where the store has them. Twice, or many at once, is one row; other rows of the account are left for the check.
 * Attributes that are undefined are left alone, one that is null becomes null. Throws `usage` for another key than
 * the canonical one, `unsupported` where the store can't keep the row single.
 */
export const upsertSession = async (
  context: LibraryContext,
  input: {accountId: string | number} & Record<string, unknown>,
  which: Which = {},
): Promise<UpsertedSession> => {
  const kite = await kiteOf(context, which);
  const {config, shape, writer, checker} = kite;
  const given = givenTo(kite, input);
  const key = keyFor(kite, given);
  const id = toText(key[shape.key[0]!]);
  const accountId = given[config.groupBy[0]!];
  const request: Put = {
    table: config.table,
    where: {all: Object.entries(key).map(([name, value]) => ({in: [toText(value)], of: {attr: name}}))},
    lock: `session ${id}`,
    keep: keepRule(config, {[config.table]: shape}),
    ...setsFor(kite, key, given),
  };
  for (let attempt = 1; ; attempt++) {
    const also = await referenceFor(kite, accountId, id);
    try {
      const {result, row} = await writer.put({...request, also}, {decideKeeper});
      context.logger.debug(`session ${result}`, {check: checker.id, accountId: toText(accountId)});
      return {created: result === 'created', session: rowOf(row.values)};
    } catch (error) {
      // A name inside a map can't be set where the account holds an id itself by now.
      if (asSesstuiError(error).code !== 'unsupported' || attempt === mostAttempts) throw error;
      const [before, after] = [also, await referenceFor(kite, accountId, id)].map(formOf);
      if (before === after) throw error;
    }
  }
};
