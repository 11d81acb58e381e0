/**
 * The registry's session keys (contract: Library): an application publishes its keys again at each restart, and they
 * are there once, in whatever order their sessions come.
 */
import {decideKeeper} from '../checks/keeper.js';
import type {DuplicatesConfig} from '../config/schema.js';
import type {TableShape} from '../connector.js';
import {SesstuiError} from '../errors.js';
import {valueAt} from '../evaluate.js';
import {canonical, type Value} from '../values.js';
import {isText} from './arguments.js';
import type {LibraryContext, Which} from './context.js';
import {valueOfGiven} from './native.js';

type Config = DuplicatesConfig;

export type SessionKeys = {
  deviceKey: string;
  streamId: string;
  /** Equal in any order; `[S1, S1, S2]` is not `[S1, S2]`. */
  sessionIds: string[];
  /** Bytes for a bytea column, a text for any other. */
  envelope: Uint8Array | string;
};

type Columns = {device: string; stream: string; sessions: string; envelope: string};

/** By position: of `groupBy` the one that is `unordered`, the other two in their order, and the first of `payload`. */
const columnsOf = ({groupBy, unordered, payload}: Config): Columns | null => {
  const sessions = groupBy.filter(name => unordered.includes(name));
  const [device, stream, ...others] = groupBy.filter(name => !unordered.includes(name));
  const [envelope] = payload;
  if (sessions.length !== 1 || others.length > 0 || !device || !stream || !envelope) return null;
  return {device, stream, sessions: sessions[0]!, envelope};
};

const requireText = (given: unknown, name: string): string => {
  if (isText(given) && given !== '') return given;
  throw new SesstuiError('usage', `${name} is not a text, or is empty`, `Give ${name} as a text.`);
};

const idsFrom = (given: unknown): string[] => {
  if (Array.isArray(given)) return given.map(id => requireText(id, 'an id of sessionIds'));
  throw new SesstuiError('usage', 'sessionIds is not an array', 'Give sessionIds as an array of texts.');
};

const envelopeFrom = (given: unknown, column: string, {columns}: TableShape): Value => {
  const type = columns?.find(({name}) => name === column)?.type;
  const isBytes = given instanceof Uint8Array;
  if ((isBytes || typeof given === 'string') && (type === undefined || isBytes === (type === 'bytea')))
    return valueOfGiven(given, 'postgres', column);
  throw new SesstuiError(
    'usage',
    `the envelope does not fit the column "${column}"${type ? ` (${type})` : ''}`,
    type === 'bytea' ? 'Give it as a Buffer or Uint8Array.' : 'Give it as a text.',
  );
};

/**
 * Publishes the keys of an application's sessions: `published` when they were not there, and `already-exists` when
 * they were, which is no error and is logged at debug level only; `published` is logged at info, after the fact. A
 * row that is there is left as it is: where its envelope is another one, that is logged as a warning. Callers at once
 * publish once, with the unique constraint or without it. The check is a `duplicates` check whose `groupBy` is the
 * device's key, the stream and the `unordered` sessions, and whose first `payload` is the envelope, by any names.
 * Throws `usage` for arguments that are no keys, and as the store does.
 */
export const publishSessionKeys = async (
  context: LibraryContext,
  keys: SessionKeys,
  which: Which = {},
): Promise<'published' | 'already-exists'> => {
  const device = requireText(keys?.deviceKey, 'deviceKey');
  const stream = requireText(keys.streamId, 'streamId');
  const ids = idsFrom(keys.sessionIds);
  const suits = (config: Config): boolean => columnsOf(config) !== null;
  const checker = context.checker<Config>('duplicates', which, suits);
  const {config, store} = checker;
  const columns = columnsOf(config)!;
  const writer = await context.writer(checker);
  const shape = await store.shape(writer, config.table, Object.values(columns));
  const envelope = envelopeFrom(keys.envelope, columns.envelope, shape);
  const sorted = [...ids].sort();
  const {result, row} = await writer.put(
    {
      table: config.table,
      where: {
        all: [
          {in: [device], of: {attr: columns.device}},
          {in: [stream], of: {attr: columns.stream}},
          {in: [sorted], of: {set: columns.sessions}},
        ],
      },
      lock: JSON.stringify([device, stream, sorted]),
      keep: {by: 'first'},
      create: {
        [columns.device]: {value: device},
        [columns.stream]: {value: stream},
        [columns.sessions]: {value: ids},
        [columns.envelope]: {value: envelope},
      },
      update: null,
    },
    {decideKeeper},
  );
  const fields = {check: checker.id, deviceKey: device, streamId: stream, sessions: ids.length};
  if (result === 'created') {
    context.logger.info('session keys were published', fields);
    return 'published';
  }
  context.logger.debug('session keys are published already', fields);
  if (canonical(valueAt(row.values, columns.envelope)) !== canonical(envelope))
    context.logger.warn('session keys are published already, with another envelope', fields);
  return 'already-exists';
};
