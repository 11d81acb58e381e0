/** What the chat's functions share: the store of a null-ids check, and how a conversation is looked for and written. */
import {decideKeeper} from '../checks/keeper.js';
import type {NullIdsConfig} from '../config/schema.js';
import type {Connector, NewValue, Put, Row, TableShape} from '../connector.js';
import type {Checker} from '../engine/checker.js';
import {SesstuiError} from '../errors.js';
import type {Pred} from '../forms.js';
import {isAbsent, type ValueMap} from '../values.js';
import type {LibraryContext, Which} from './context.js';
import {siblingOf} from './kite-times.js';

type Config = NullIdsConfig;
export type Chat = {
  checker: Checker & {readonly config: Config};
  config: Config;
  writer: Connector;
  shape: TableShape;
  context: LibraryContext;
};

/** How often a new id may turn out to be taken, or the conversation change while it is given one. */
export const mostAttempts = 10;

export const chatOf = async (context: LibraryContext, which: Which): Promise<Chat> => {
  const checker = context.checker<Config>('null-ids', which);
  const writer = await context.writer(checker);
  const {config} = checker;
  const shape = await checker.store.shape(writer, config.table, [
    config.id,
    ...(config.touch ? [config.touch] : []),
  ]);
  return {checker, config, writer, shape, context};
};

export const usage = (message: string, hint: string): SesstuiError =>
  new SesstuiError('usage', message, hint);

const asSets = (values: ValueMap): Record<string, NewValue> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, {value}]));

/** `touch`, and createdAt beside it: the database's now where the caller gave none. */
const timesFor = ({config, shape}: Chat, given: ValueMap): Record<string, NewValue> => {
  const touch = config.touch ?? null;
  const names = [siblingOf(touch, shape), touch].filter(name => name !== null);
  const absent = names.filter(name => isAbsent(given[name]));
  return Object.fromEntries(absent.map(name => [name, {now: true, zone: config.timeZone}]));
};

export const createFor = (chat: Chat, given: ValueMap, sessionId: string): Put['create'] => ({
  ...asSets(given),
  ...timesFor(chat, given),
  [chat.config.id]: {value: sessionId},
});

export const put = async ({writer}: Chat, request: Omit<Put, 'keep'>) =>
  writer.put({...request, keep: {by: 'first'}}, {decideKeeper});

export const rowsWhere = async ({config, writer}: Chat, where: Pred, most: number): Promise<Row[]> => {
  const form = {form: 'rows' as const, from: config.table, where, show: [config.id], tags: {}};
  // Nothing in the form is about an age. Not `read`, which takes a connection of its own each time.
  const {found} = await writer.survey(form, {now: 0, full: true, offset: 0, limit: most});
  return found.flatMap(({rows}) => rows);
};

export const isTaken = (error: unknown): boolean => error instanceof SesstuiError && error.code === 'refused';
