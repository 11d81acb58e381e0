/** The unique index on the id: whether it is there, and the commands that make it or take it away. Pure. */
import type {Document} from 'mongodb';
import {canonicalJson} from '../../../source/connector.js';
import type {GuardSeen} from '../../../source/guards.js';
import type {Json} from '../../../source/values.js';
import {exactOf, type IndexSeen, jsonOf, plainOf, type Seen, unfit} from './seen.js';
import {type Command, createIndex, dropIndex, type Task} from './task.js';

export type UniqueRule = {table: string; id: string};

/** What MongoDB itself would call it. */
export const indexName = (id: string): string => `${id}_1`;

const isOn = (id: string, {plain}: IndexSeen): boolean => {
  const entries = Object.entries(plain.key as Document);
  return entries.length === 1 && entries[0]![0] === id && Math.abs(Number(entries[0]![1])) === 1;
};

/** Options with which an index lets equal ids in, or tells ids apart in another way than byte by byte. */
const oddities = ({plain}: IndexSeen): string[] => [
  ...(plain.sparse ? ['sparse'] : []),
  ...(plain.partialFilterExpression ? ['partial'] : []),
  ...(plain.collation ? ['of another collation'] : []),
];

const isUnique = (index: IndexSeen): boolean => index.plain.unique === true && oddities(index).length === 0;
const isHeld = (index: IndexSeen): boolean => isUnique(index) && !index.plain.hidden && !index.building;
const isPrepared = ({plain}: IndexSeen): boolean => plain.prepareUnique === true;

const indexesOn = (seen: Seen, id: string): IndexSeen[] => seen.indexes.filter(index => isOn(id, index));
const named = (seen: Seen, name: string): IndexSeen | undefined =>
  seen.indexes.find(index => index.name === name);

/** The one that becomes unique: ours, else any on the id alone that needs no more than that. */
const baseOf = (seen: Seen, id: string): IndexSeen | undefined => {
  const fit = indexesOn(seen, id).filter(index => oddities(index).length === 0);
  return fit.find(isUnique) ?? fit.find(({name}) => name === indexName(id)) ?? fit[0];
};

/** See `GuardKeeper.state`: why there can be no such index. */
export const uniqueUnavailable = (seen: Seen, {id}: UniqueRule): string | null => {
  const why = unfit(seen);
  if (why !== null) return why;
  if (id === '_id') return '_id is unique already, by the server';
  const own = named(seen, indexName(id));
  if (own && !isOn(id, own)) return `an index on something else has the name ${own.name}`;
  const shard = seen.shardKey && Object.entries(seen.shardKey);
  if (shard && !(shard.length === 1 && shard[0]![0] === id && shard[0]![1] !== 'hashed'))
    return `the collection is sharded by ${shard.map(([name]) => name).join(', ')}, and a unique index has to begin with that`;
  return null;
};

const differences = (index: IndexSeen): string => {
  if (index.building) return `the index ${index.name} is being built`;
  const words = [...oddities(index), ...(index.plain.hidden ? ['hidden'] : [])];
  if (isPrepared(index)) return `the index ${index.name} is prepared, but not unique yet`;
  if (!index.plain.unique) return `the index ${index.name} is not unique`;
  return `the index ${index.name} is ${words.join(' and ')}`;
};

export const uniqueState = (seen: Seen, rule: UniqueRule): GuardSeen => {
  const why = uniqueUnavailable(seen, rule);
  if (why !== null) return {state: 'unavailable', why};
  const on = indexesOn(seen, rule.id);
  const held = on.find(isHeld);
  if (held)
    return {state: 'installed', why: held.name === indexName(rule.id) ? null : `by the index ${held.name}`};
  const base = baseOf(seen, rule.id) ?? on[0];
  return base ? {state: 'drifted', why: differences(base)} : {state: 'missing', why: null};
};

/**
 * `index` is null where an install makes a new one; the whole is null only where nobody knows. `others` went with it,
 * where an index can't be changed in place.
 */
export type Before = {index: Json; others?: Json[]};

const withoutMark = (exact: Document): Document => {
  const {prepareUnique: _, ...spec} = exact;
  return spec;
};

/** What goes where an index can't be changed in place: the one that becomes unique, and one that has our name. */
const inTheWay = (seen: Seen, id: string): IndexSeen[] =>
  [...new Set([baseOf(seen, id), named(seen, indexName(id))])].filter(index => index !== undefined);

/** The index that an install turns into the guard, and what else it takes away. */
export const uniqueCapture = (seen: Seen, {id}: UniqueRule): Json => {
  if (indexesOn(seen, id).some(isHeld)) return {index: null};
  const [replaced, ...others] = inTheWay(seen, id).map(({exact}) => jsonOf(withoutMark(exact)));
  return {
    index: replaced ?? null,
    ...(others.length > 0 && !seen.abilities.converts && {others}),
  };
};

const change = (table: string, name: string, what: Document): Command => ({
  document: {collMod: table, index: {name, ...what}},
  ...(what.unique && {long: true, lengthening: true}),
});

const spec = (seen: Seen, id: string, more: Document = {}): Document => ({
  key: {[id]: 1},
  name: indexName(id),
  ...more,
  ...(seen.collated && {collation: {locale: 'simple'}}),
});

/** The index that the first step builds, and nothing more. */
const isOwnPlain = ({name, plain}: IndexSeen, id: string): boolean =>
  name === indexName(id) && Object.keys(plain).every(option => ['v', 'key', 'name'].includes(option));

const show = ({table}: UniqueRule, base: IndexSeen): Task[] =>
  base.plain.hidden
    ? [
        {
          name: 'show',
          phase: 'enforce',
          text: `Lets queries use the index ${base.name} again.`,
          commands: [change(table, base.name, {hidden: false})],
        },
      ]
    : [];

/**
 * An index as it was: the server tells nothing of a collation where it is the simple one, and would give it the
 * collection's own.
 */
export const asItWas = (collated: boolean, exact: Document): Document =>
  collated && exact.collation === undefined ? {...exact, collation: {locale: 'simple'}} : exact;

/** Asking for the same index again is waiting for the build that is under way. */
const finish = ({table}: UniqueRule, {name, exact, building}: IndexSeen): Task[] =>
  building
    ? [
        {
          name: 'index',
          phase: 'prepare',
          text: `Waits for the index ${name}, which is being built.`,
          commands: [createIndex(table, exact)],
        },
      ]
    : [];

/** In place: at no moment is the id without an index, and duplicates are refused before those that are there are mended. */
const converted = (seen: Seen, rule: UniqueRule): Task[] => {
  const {table, id} = rule;
  const base = baseOf(seen, id);
  if (base && isUnique(base)) return [...finish(rule, base), ...show(rule, base)];
  const odd = named(seen, indexName(id));
  const name = base?.name ?? indexName(id);
  const plain = createIndex(table, spec(seen, id));
  const build: Task = {
    name: 'index',
    phase: 'prepare',
    text: odd
      ? `Builds the index ${name} anew, without what it leaves out, beside live writers.`
      : `Builds the index ${name} beside live writers.`,
    commands: [...(odd ? [dropIndex(table, odd.name)] : []), plain],
  };
  const refuse: Task = {
    name: 'refuse',
    phase: 'refuse',
    text: `From here on a document with the ${id} of another one is refused.`,
    // An index that an earlier install began may still be in the making: to ask for it again is to wait for it.
    commands: [...(base && !isOwnPlain(base, id) ? [] : [plain]), change(table, name, {prepareUnique: true})],
  };
  const unique: Task = {
    name: 'unique',
    phase: 'enforce',
    text: `Makes the index ${name} unique in place.`,
    commands: [change(table, name, {unique: true})],
  };
  return [
    ...(base ? [] : [build]),
    ...(base && isPrepared(base) ? [] : [refuse]),
    unique,
    ...(base ? show(rule, base) : []),
  ];
};

/** Where an index can't be changed: what stands in the way goes, and comes back if duplicates are found. */
const rebuilt = (seen: Seen, {table, id}: UniqueRule): Task[] => {
  const gone = inTheWay(seen, id);
  return [
    {
      name: 'unique',
      phase: 'enforce',
      text:
        gone.length === 0
          ? `Builds the unique index ${indexName(id)}.`
          : `Replaces the index ${gone.map(({name}) => name).join(' and ')} by the unique index ${indexName(id)}; until it is built, looking for a ${id} reads the whole collection.`,
      commands: [
        ...gone.map(({name}) => dropIndex(table, name)),
        createIndex(table, spec(seen, id, {unique: true})),
      ],
      back: gone.map(({exact}) => createIndex(table, asItWas(seen.collated, exact))),
    },
  ];
};

export const uniqueInstall = (seen: Seen, rule: UniqueRule): Task[] => {
  if (uniqueState(seen, rule).state === 'installed') return [];
  return seen.abilities.converts ? converted(seen, rule) : rebuilt(seen, rule);
};

const same = (a: Document, b: Document): boolean =>
  canonicalJson(plainOf(a) as Json) === canonicalJson(plainOf(b) as Json);

/**
 * What was there before comes back: the index that was replaced, or none. Where nobody knows, a unique index goes and
 * one that was only prepared is let be. An index under another name than ours is somebody else's, unless it was replaced.
 */
export const uniqueUninstall = (seen: Seen, {table, id}: UniqueRule, before: Json): Task[] => {
  const known = before as Before | null;
  const old = known?.index ? exactOf(known.index) : null;
  const ours = named(seen, old ? String(old.name) : indexName(id));
  const task = (name: string, text: string, commands: Command[]): Task[] => [
    {name, phase: 'tidy', text, commands},
  ];
  if (old) {
    const others = (known?.others ?? []).map(exactOf);
    const putBack = (index: Document) => createIndex(table, asItWas(seen.collated, index));
    const back = putBack(old);
    // Where it could not be changed in place, ours took its place under our name.
    const instead = named(seen, indexName(id));
    const isInstead = instead && isOn(id, instead) && !others.some(other => same(instead.exact, other));
    const left = seen.indexes.filter(index => index !== instead || !isInstead);
    const gone = others.filter(other => !left.some(({name}) => name === other.name));
    if (!ours)
      return task('index', `Puts the index ${[old, ...gone].map(({name}) => name).join(' and ')} back.`, [
        ...(isInstead ? [dropIndex(table, instead.name)] : []),
        back,
        ...gone.map(putBack),
      ]);
    if (same(ours.exact, old)) {
      const absent = gone.filter(other => !named(seen, String(other.name)));
      return absent.length === 0
        ? []
        : task(
            'index',
            `Puts the index ${absent.map(({name}) => name).join(' and ')} back.`,
            absent.map(putBack),
          );
    }
    if (same(withoutMark(ours.exact), old))
      return task('let', `Lets duplicates of ${id} in again.`, [
        change(table, ours.name, {prepareUnique: false}),
      ]);
    if (!isOn(id, ours)) return [];
    const text = `Replaces the unique index by the one that was there before; until it is built, looking for a ${id} reads the whole collection.`;
    return task('index', text, [dropIndex(table, ours.name), back]);
  }
  if (!ours || !isOn(id, ours)) return [];
  if (known || ours.plain.unique)
    return task('index', `Drops the index ${ours.name}.`, [dropIndex(table, ours.name)]);
  return isPrepared(ours)
    ? task('let', `Lets duplicates of ${id} in again.`, [change(table, ours.name, {prepareUnique: false})])
    : [];
};
