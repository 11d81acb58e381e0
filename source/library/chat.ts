/**
 * The chat's conversations (contract: Library): none is without a session id of its own, however many start at the
 * same time.
 */
import type {Row} from '../connector.js';
import {SesstuiError} from '../errors.js';
import {valueAt} from '../evaluate.js';
import {nothing, type Pred} from '../forms.js';
import {isAbsent, Other, type Scalar, toText, type Value, type ValueMap} from '../values.js';
import {faultOf, hasNone, idGiven, newId, withoutId} from './chat-ids.js';
import {type Chat, chatOf, createFor, isTaken, mostAttempts, put, rowsWhere, usage} from './chat-rows.js';
import type {LibraryContext, Which} from './context.js';
import {rowOf, valueOfGiven, valuesOf} from './native.js';

/** A conversation by its attributes' names: moments are Dates, ids of the database's own type are text. */
export type Conversation = Record<string, unknown>;

/**
 * Makes a conversation with a session id that no other has: a new one in the check's format, or the caller's own
 * (throws `usage` where that is null, empty or in another format). `touch` and createdAt are the database's now where
 * none is given; attributes that are undefined are left out. Where a unique index turns a new id down, another one is
 * tried; a caller's own is told as `refused`. Answers the document as it was written.
 */
export const startConversation = async (
  context: LibraryContext,
  input: Record<string, unknown> = {},
  which: Which = {},
): Promise<Conversation> => {
  const chat = await chatOf(context, which);
  const {config, checker} = chat;
  const given = valuesOf(input, chat.writer.kind);
  const own = idGiven(config, given);
  for (let attempt = 1; ; attempt++) {
    const sessionId = own ?? newId(config);
    try {
      const create = createFor(chat, given, sessionId);
      const {row} = await put(chat, {table: config.table, where: nothing, lock: '', create, update: null});
      context.logger.debug('conversation created', {check: checker.id});
      return rowOf(row.values);
    } catch (error) {
      if (!isTaken(error) || own !== null || attempt === mostAttempts) throw error;
      // What was refused may be something else than the id, and would be again.
      const others = await rowsWhere(chat, {in: [sessionId], of: {attr: config.id}}, 1);
      if (others.length === 0) throw error;
    }
  }
};

/** More types than an id can have as text. */
const mostOfOne = 100;

type Wanted = {key: string; id: Value; given: ValueMap; sessionId: string};

/** The one with this key; an id as text is also that of an ObjectId, of a UUID and of a number. */
const find = async (chat: Chat, {key, id}: Wanted): Promise<Row | undefined> => {
  const rows = await rowsWhere(chat, {in: [toText(id) as Scalar], of: {attr: key}}, mostOfOne);
  if (rows.length > 1)
    chat.context.logger.warn('several conversations have this id, in different types', {
      check: chat.checker.id,
      conversationId: toText(id),
    });
  return rows.find(({values}) => values[key] === id) ?? rows[0];
};

const hexOfObjectId = /^[0-9a-f]{24}$/i;

/** The key of a new conversation: an ObjectId where the collection has these, and the id is the text of one. */
const keyOfNew = async (chat: Chat, {id}: Wanted): Promise<Value> => {
  if (typeof id !== 'string' || !hexOfObjectId.test(id) || chat.writer.kind !== 'mongodb') return id;
  const like = (await chat.writer.describe(chat.config.table))?.someKey;
  return like instanceof Other && like.type === 'objectId' ? new Other('objectId', id.toLowerCase()) : id;
};

const isKey = (key: string, id: Value): Pred => ({in: [toText(id) as Scalar], of: {attr: key}});

const make = async (chat: Chat, wanted: Wanted): Promise<Row> => {
  const {config} = chat;
  const id = await keyOfNew(chat, wanted);
  const {row, result} = await put(chat, {
    table: config.table,
    where: isKey(wanted.key, id),
    lock: toText(id),
    create: {...createFor(chat, wanted.given, wanted.sessionId), [wanted.key]: {value: id}},
    update: null,
  });
  chat.context.logger.debug(`conversation ${result}`, {check: chat.checker.id, conversationId: toText(id)});
  return row;
};

/** Gives a conversation its session id, unless somebody else just has. */
const assign = async (chat: Chat, wanted: Wanted, found: Row): Promise<Row> => {
  const {config} = chat;
  const id = found.values[wanted.key];
  const {row} = await put(chat, {
    table: config.table,
    where: {all: [isKey(wanted.key, id), withoutId(config)]},
    lock: toText(id),
    create: {...createFor(chat, wanted.given, wanted.sessionId), [wanted.key]: {value: id}},
    update: {
      [config.id]: {value: wanted.sessionId},
      ...(config.touch && {[config.touch]: {now: true, zone: config.timeZone}}),
    },
  });
  chat.context.logger.debug('conversation given a session id', {
    check: chat.checker.id,
    conversationId: toText(id),
  });
  return row;
};

/** The conversation as it is once it has a session id. */
const ensured = async (chat: Chat, wanted: Wanted): Promise<Row> => {
  const found = await find(chat, wanted);
  const row = found ?? (await make(chat, wanted));
  return hasNone(valueAt(row.values, chat.config.id)) ? assign(chat, wanted, row) : row;
};

const keyFor = ({config, shape}: Chat): string => {
  if (shape.key.length === 1) return shape.key[0]!;
  throw new SesstuiError(
    'unsupported',
    `${config.table} has no key of one column, so that a conversationId names none of its rows`,
    'Use startConversation, or a table with such a key.',
  );
};

/**
 * The conversation with this id, made where it is not there, and given a session id where it has none (null, missing
 * or empty). What is given besides is for a new one only. Many callers at once are all told the same document and the
 * same session id. An id that is the text of an ObjectId finds the ObjectId too, and is made one where the collection
 * has such keys. A session id of the wrong type or format is left alone and logged as a warning. Throws `usage` for
 * an id that is missing or empty, and for a session id of the caller's own that is not valid.
 */
export const ensureConversation = async (
  context: LibraryContext,
  {conversationId, ...attributes}: {conversationId: unknown} & Record<string, unknown>,
  which: Which = {},
): Promise<Conversation> => {
  const chat = await chatOf(context, which);
  const {config} = chat;
  const key = keyFor(chat);
  const id = valueOfGiven(conversationId, chat.writer.kind, 'conversationId');
  if (
    isAbsent(id) ||
    toText(id).trim() === '' ||
    (typeof id === 'object' && !(id instanceof Other)) ||
    Number.isNaN(id)
  )
    throw usage('conversationId is missing, empty or not an id', 'Give the id of the conversation.');
  const given = valuesOf(attributes, chat.writer.kind);
  if (Object.hasOwn(given, key))
    throw usage(`"${key}" is the conversation's id, which is given as conversationId`, `Leave "${key}" out.`);
  const own = idGiven(config, given);
  for (let attempt = 1; ; attempt++) {
    try {
      const row = await ensured(chat, {key, id, given, sessionId: own ?? newId(config)});
      const fault = faultOf(config, valueAt(row.values, config.id));
      if (fault)
        context.logger.warn(`a conversation is left with a ${fault}`, {
          check: chat.checker.id,
          conversationId: toText(id),
        });
      return rowOf(row.values);
    } catch (error) {
      // Somebody gave it an id meanwhile, or the id that it was to be given is taken.
      if (!isTaken(error) || attempt === mostAttempts) throw error;
    }
  }
};
