/** Proves on a scratch collection that a guard refuses what it should, and nothing else. */
import {randomBytes} from 'node:crypto';
import type {Collection, Document} from 'mongodb';
import type {GuardKeeper, GuardPhase, Proof} from '../../../source/guards.js';
import type {Access} from '../client.js';
import {serverNow} from '../clock.js';
import {collectionNames} from '../collections.js';
import {codeOf, mapError} from '../errors.js';
import {isDuplicates} from './perform.js';
import type {MongoRule} from './rules.js';

type Keeper = Pick<GuardKeeper, 'state' | 'steps' | 'perform'>;

const prefix = 'sesstui_test_';
const hourSeconds = 3600;
const atOnce = 20;
const invalid = 121;

/** The name tells when it was made, on the server's clock. */
const nameAt = (seconds: number): string =>
  `${prefix}${seconds.toString(16)}_${randomBytes(6).toString('hex')}`;

/** Scratch collections of tests that were killed; one that is younger may be another test's. */
const dropLeftovers = async (access: Access, seconds: number): Promise<void> => {
  for (const name of await collectionNames(access)) {
    const made = /^sesstui_test_([0-9a-f]+)_[0-9a-f]{12}$/.exec(name)?.[1];
    if (made !== undefined && Number.parseInt(made, 16) < seconds - hourSeconds)
      await access.db.collection(name).drop(access.limit);
  }
};

/** A document with this at the path; `undefined` leaves it out. */
const documentWith = (id: string, value: unknown): Document => {
  const [step, ...rest] = id.split('.') as [string, ...string[]];
  if (rest.length === 0) return value === undefined ? {} : {[step]: value};
  return {[step]: documentWith(rest.join('.'), value)};
};

type Scratch = {
  guard: string;
  id: string;
  collection: Collection<Document>;
  limit: Access['limit'];
  insert: (value: unknown) => Promise<unknown>;
  set: (what: Document, where: Document, more?: object) => Promise<unknown>;
  /** The steps of these phases; whether one of them says that documents are in the way. */
  install: (phases: GuardPhase[]) => Promise<'done' | 'again'>;
  isInstalled: () => Promise<boolean>;
};

/** A proof passes when the work ends as it should; what it ended with otherwise is told. */
const expecting = async (
  {guard}: Scratch,
  text: string,
  wanted: 'stored' | 'refused',
  work: Promise<unknown>,
  isRefusal: (error: unknown) => boolean,
): Promise<Proof> => {
  const why = await work.then(
    () => (wanted === 'stored' ? null : 'it was stored'),
    error => (wanted === 'refused' && isRefusal(error) ? null : mapError(error, text).message),
  );
  return {guard, text, passed: why === null, why};
};

async function* uniqueProofs(scratch: Scratch): AsyncGenerator<Proof> {
  const {guard, id, insert, set, install, isInstalled, collection, limit} = scratch;
  const refused = (text: string, work: Promise<unknown>) =>
    expecting(scratch, text, 'refused', work, isDuplicates);
  const stored = (text: string, work: Promise<unknown>) =>
    expecting(scratch, text, 'stored', work, isDuplicates);

  await insert(null);
  await insert(null);
  const all: GuardPhase[] = ['prepare', 'refuse', 'enforce', 'tidy'];
  const early = await install(all);
  for (const {_id} of await collection.find({}, limit).toArray()) await set({[id]: `mended-${_id}`}, {_id});
  const late = await install(all);
  const passed = early === 'again' && late === 'done' && (await isInstalled());
  yield {
    guard,
    text: `two documents whose ${id} is null are in the way of the index until they have been mended`,
    passed,
    why: passed ? null : `before: ${early}, after: ${late}`,
  };
  yield await stored(`a document with a ${id} of its own is stored`, insert('a'));
  yield await refused(`a second document with the same ${id} is refused`, insert('a'));
  yield await refused(
    `an update to the ${id} of another document is refused`,
    insert('b').then(() => set({[id]: 'a'}, {[id]: 'b'})),
  );
  yield await refused(
    `a second document whose ${id} is null is refused`,
    insert(null).then(() => insert(null)),
  );
  await insert(undefined).catch(() => {});
  const without = await refused(`a second document without ${id} is refused`, insert(undefined));
  yield without.why === 'it was stored'
    ? {
        guard,
        text: `without ${id} any number of documents are stored: two of them do not have the same`,
        passed: true,
        why: 'so this server does it; MongoDB takes a missing one for null',
      }
    : without;
  const many = await Promise.allSettled(Array.from({length: atOnce}, () => insert('many')));
  const count = await collection.countDocuments({[id]: 'many'}, limit);
  const others = many.filter(each => each.status === 'rejected' && !isDuplicates(each.reason)).length;
  yield {
    guard,
    text: `of ${atOnce} documents with one ${id} at once one is stored`,
    passed: count === 1 && others === 0,
    why: count === 1 && others === 0 ? null : `${count} were stored, ${others} failed otherwise`,
  };
}

async function* validProofs(scratch: Scratch): AsyncGenerator<Proof> {
  const {guard, id, insert, set, install, isInstalled, collection, limit} = scratch;
  const isRefusal = (error: unknown) => codeOf(error) === invalid;
  const refused = (text: string, work: Promise<unknown>) =>
    expecting(scratch, text, 'refused', work, isRefusal);
  const stored = (text: string, work: Promise<unknown>) =>
    expecting(scratch, text, 'stored', work, isRefusal);

  await insert(undefined);
  await install(['prepare', 'refuse']);
  const faults: [string, unknown][] = [
    ['null', null],
    ['missing', undefined],
    ['empty', ''],
    ['a number', 7],
  ];
  for (const [what, value] of faults)
    yield await refused(`a document whose ${id} is ${what} is refused`, insert(value));
  yield await stored(`a document with a ${id} is stored`, insert('a'));
  yield await refused(`an update that makes a ${id} null is refused`, set({[id]: null}, {[id]: 'a'}));
  const old = {n: {$exists: false}, [id]: {$ne: 'a'}};
  yield await stored('a document that violated it before can still be changed (moderate)', set({n: 1}, old));
  const early = await install(['enforce', 'tidy']);
  await set({[id]: 'b'}, {n: 1});
  const late = await install(['enforce', 'tidy']);
  const passed = early === 'again' && late === 'done' && (await isInstalled());
  yield {
    guard,
    text: 'it becomes strict when the last document that violates it has been mended, and not before',
    passed,
    why: passed ? null : `before: ${early}, after: ${late}`,
  };
  await collection.insertOne({n: 2, ...documentWith(id, null)}, {...limit, bypassDocumentValidation: true});
  yield await refused(
    'a document that came by another way and violates it can not be changed any more (strict)',
    set({m: 1}, {n: 2}),
  );
}

/**
 * The proofs of one rule, each as it comes. The scratch collection is dropped whatever happens, and so are those that
 * tests before it have left behind more than an hour ago.
 */
export async function* proofs(
  access: Access,
  keeper: Keeper,
  guard: string,
  rule: MongoRule,
): AsyncGenerator<Proof> {
  const seconds = Math.floor((await serverNow(access)) / 1e6);
  await dropLeftovers(access, seconds);
  const {signal, ...outside} = access;
  const copy: MongoRule = {...rule, table: nameAt(seconds)};
  const collection = access.db.collection<Document>(copy.table);
  const options = {before: null, ...(signal && {signal})};
  const scratch: Scratch = {
    guard,
    id: rule.id,
    collection,
    limit: access.limit,
    insert: async value => collection.insertOne(documentWith(rule.id, value), access.limit),
    set: async (what, where, more) => collection.updateOne(where, {$set: what}, {...access.limit, ...more}),
    async install(phases) {
      let result: 'done' | 'again' = 'done';
      for (const step of await keeper.steps(copy, 'install', options))
        if (phases.includes(step.phase) && (await keeper.perform(copy, 'install', step, options)) === 'again')
          result = 'again';
      return result;
    },
    isInstalled: async () => (await keeper.state(copy, signal)).state === 'installed',
  };
  await access.db.createCollection(copy.table, access.limit);
  try {
    yield* rule.rule === 'unique-id' ? uniqueProofs(scratch) : validProofs(scratch);
  } finally {
    await outside.db
      .collection(copy.table)
      .drop(access.limit)
      .catch(() => {});
  }
}
